/** EMV merchant-presented QR payloads (EMVCo QRCPS-MPM 1.1): the text behind Pix and the interoperable QRs of Argentina, Peru and Bolivia. */
import { formatAmount, type Money } from '@pasarela/connector-kit'

/** What varies from one national scheme to the next. */
export type Scheme = {
  /** Merchant account information: id of the template (26 to 51) and its content, nested objects or text. */
  readonly accounts: readonly (readonly [id: string, content: string | readonly DataObject[]])[]
  /** ISO 4217 number of the currency. */
  readonly currencyNumber: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly city: string
}

export type DataObject = readonly [id: string, value: string]

/** `reference` is the merchant's label of the payment, at most 25 letters and digits. */
export function emvPayload(scheme: Scheme, amount: Money, reference: string): string {
  const body = [
    field('00', '01'),
    // 12: for one payment only, as opposed to a sticker on a counter.
    field('01', '12'),
    ...scheme.accounts.map(([id, content]) => field(id, typeof content === 'string' ? content : nested(content))),
    field('52', '0000'),
    field('53', scheme.currencyNumber),
    field('54', formatAmount(amount.minor, amount.currency)),
    field('58', scheme.country),
    field('59', 'PASARELA SANDBOX'),
    field('60', scheme.city),
    field('62', nested([['05', reference]])),
  ].join('')
  // The checksum covers its own id and length.
  return `${body}6304${crc16(`${body}6304`)}`
}

function nested(objects: readonly DataObject[]): string {
  return objects.map(([id, value]) => field(id, value)).join('')
}

/** Two digits of id, two of length, then the value. Everything here is ASCII, so characters are bytes. */
function field(id: string, value: string): string {
  if (value.length === 0 || value.length > 99) throw new RangeError(`EMV field ${id} cannot be ${value.length} long`)
  return id + String(value.length).padStart(2, '0') + value
}

/** CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) as four upper-case hexadecimal digits. */
export function crc16(text: string): string {
  let crc = 0xffff
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i) << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    crc &= 0xffff
  }
  return crc.toString(16).toUpperCase().padStart(4, '0')
}
