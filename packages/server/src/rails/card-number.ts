/** Keeps card numbers out: finds what looks like one in a card node, so that it is refused before anything is stored or logged. */
import { checkDocument } from '../kit/documents.ts'
import { passesLuhn } from '../kit/mask.ts'

export { passesLuhn }

/** Field names that exist to carry card data, without case and punctuation. */
const forbiddenKeys = new Set([
  'pan',
  'primaryaccountnumber',
  'number',
  'cardnumber',
  'cvv',
  'cvv2',
  'cvc',
  'cvc2',
  'cvn',
  'csc',
  'cid',
  'securitycode',
  'cardsecuritycode',
  'verificationvalue',
  'track1',
  'track2',
  'trackdata',
  'pin',
  'pinblock',
])

/** Digits in groups, as people write card numbers; not part of a longer word, so that opaque tokens pass. */
const digitRun = /(?<![\p{L}\p{N}])\d(?:[\s.\-\u2010-\u2015]*\d){12,18}(?![\p{L}\p{N}])/gu

/**
 * The JSON pointer of the first thing in `value` that may be card data: a field named for it (`pan`, `cvv`, `number`, ...)
 * or 13 to 19 digits that pass the Luhn check, blanks and dashes ignored. Undefined when there is none.
 */
export function findCardNumber(value: unknown, pointer = ''): string | undefined {
  if (typeof value === 'string') return holdsCardNumber(value) ? pointer : undefined
  if (typeof value === 'number') return holdsCardNumber(String(value)) ? pointer : undefined
  if (value === null || typeof value !== 'object') return undefined
  for (const [key, inner] of Object.entries(value)) {
    const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!Array.isArray(value) && isForbiddenKey(key)) return at
    const found = isOtherNumber(key, inner) ? undefined : findCardNumber(inner, at)
    if (found !== undefined) return found
  }
  return undefined
}

/** One in ten long numbers passes Luhn by chance; a company's valid CNPJ and a phone number with its + are known to be something else. */
function isOtherNumber(key: string, value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (key === 'phoneNumber') return value.startsWith('+')
  return key === 'documentNumber' && checkDocument('CNPJ', value).ok
}

function isForbiddenKey(key: string): boolean {
  return forbiddenKeys.has(key.toLowerCase().replace(/[^a-z0-9]/g, '')) || holdsCardNumber(key)
}

function holdsCardNumber(text: string): boolean {
  for (const run of text.normalize('NFKC').match(digitRun) ?? []) {
    if (passesLuhn(run.replace(/\D/g, ''))) return true
  }
  return false
}
