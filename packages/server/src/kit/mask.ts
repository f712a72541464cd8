/** The last net under everything that is said outside or written to the log: what looks like a card number or a secret of ours goes. */

/** Digits in groups, as people write card numbers; not the value of a JSON number (`"time":1795349173619`), nor part of a word. */
const digitRun = /(?<![\p{L}\p{N}]|":)\d(?:[\s.\-\u2010-\u2015]?\d){12,18}(?![\p{L}\p{N}])/gu

/** API keys, client secrets, notice and webhook secrets; the secret part of a payer's address. */
const secrets = [
  /\b(psk|pak|pns)_(live|sandbox)_[\w-]{8,}/g,
  /\b(whsec|whk)_[\w+/=-]{8,}/g,
  /(\/(?:pay|link|card)\/[0-9a-z]{1,7})-[\w-]{22}(?![\w-])/g,
]

/** A JWT. The lookahead runs once for each run of characters: without it, every `eyJ` of a long run starts a scan to its end. */
const jwt = /(?<![\w-])(?=[\w-]+\.[\w-]+\.[\w-])([\w-]*?\beyJ)[\w-]{8,}\.[\w-]+\.[\w-]+/g

/** The text with whatever looks like a card number or a secret replaced. Text that holds none is the same string. */
export function maskSecrets(text: string): string {
  const withoutCards = text.replace(digitRun, (run) => (passesLuhn(run.replace(/\D/g, '')) ? '[card number]' : run))
  const patterns = text.includes('eyJ') ? [...secrets, jwt] : secrets
  return patterns.reduce((masked, pattern) => masked.replace(pattern, '$1_[secret]'), withoutCards)
}

/** ISO/IEC 7812-1: every second digit from the right is doubled, and the digits of it all sum to a multiple of ten. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
