/** Account numbers and addresses that the sandbox's bank makes for one payment: well-formed, with true check digits, and nobody's. */
import { createHash } from 'node:crypto'
import { clabe } from 'clabe-validator'

/** 256 bits that depend on the payment and the purpose alone, so that a second call, or another process, makes the same. */
export function seed(paymentId: string, purpose: string): Buffer {
  return createHash('sha256').update(`sandbox:${purpose}:${paymentId}`).digest()
}

/** The provider's reference of a payment: 25 letters and digits, as long as an EMV reference label may be. Not to be guessed from outside. */
export function referenceOf(id: string): string {
  return `sbx${BigInt(`0x${seed(id, 'reference').toString('hex')}`)
    .toString(36)
    .padStart(50, '0')
    .slice(-22)}`
}

/** A token as gateways give them: 64 hexadecimal digits. */
export function tokenOf(paymentId: string, purpose: string): string {
  return seed(paymentId, purpose).toString('hex')
}

function digits(paymentId: string, purpose: string, count: number): string {
  const number = BigInt(`0x${seed(paymentId, purpose).toString('hex')}`) % 10n ** BigInt(count)
  return number.toString().padStart(count, '0')
}

/** STP (646), the institution behind most CLABEs made for one payment, in Mexico City (180). */
export const speiBank = '646'

/** A CLABE: bank, city, account, check digit. */
export function clabeOf(paymentId: string): string {
  return clabe.calculate(Number(speiBank), 180, Number(digits(paymentId, 'clabe', 11)))
}

/** A CVU: three zeros and the wallet's number (one that no wallet has), a check digit, the account, a check digit. */
export function cvuOf(paymentId: string): string {
  const bank = '0009999'
  const account = digits(paymentId, 'cvu', 13)
  return bank + cbuCheckDigit(bank) + account + cbuCheckDigit(account)
}

/** The check digit of either part of a CBU or CVU: weights 3, 1, 7, 9 from the right, complement to ten (BCRA, Comunicación A 2622). */
export function cbuCheckDigit(part: string): string {
  const sum = [...part].reverse().reduce((total, digit, i) => total + Number(digit) * ([3, 1, 7, 9][i % 4] ?? 0), 0)
  return String((10 - (sum % 10)) % 10)
}

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function toBase58(bytes: Buffer): string {
  let number = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = base58[Number(number % 58n)] + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(Math.max(zeros, 0)) + text
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** An address of that network which nobody holds the key of; Ethereum's in lower case, which carries no checksum. */
export function addressOf(paymentId: string, network: string): string {
  const bytes = seed(paymentId, `address:${network}`)
  if (network === 'SOLANA') return toBase58(bytes)
  if (network !== 'TRON') return `0x${bytes.subarray(0, 20).toString('hex')}`
  const payload = Buffer.concat([Buffer.from([0x41]), bytes.subarray(0, 20)])
  return toBase58(Buffer.concat([payload, sha256(sha256(payload)).subarray(0, 4)]))
}
