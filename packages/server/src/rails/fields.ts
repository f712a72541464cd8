/** The pieces that rail definitions are written with: wire fields with their length limits, the payer, bounds of amounts, spans of time. */

import { type Currency, parseAmount, type RailCurrency } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { limits } from '../vocabulary/limits.ts'

/** An optional text of at most `maxLength` characters. */
export function text(description: string, maxLength: number = limits.nameLength) {
  return Type.Optional(Type.String({ description, maxLength }))
}

/** An optional URL that a provider gives the payer or that a caller gives us. */
export function url(description: string) {
  return text(description, limits.urlLength)
}

/** The payer's address (contract section 2.5). */
export const Address = Type.Object(
  {
    administrativeAreaLevel1: text('State, region or department'),
    administrativeAreaLevel2: text('Province or municipality'),
    administrativeAreaLevel3: text('Commune or district'),
    street: text('Street'),
    streetNumber: text('House number', 20),
    optionalAddress: text('Flat, floor, directions'),
    country: text('ISO 3166-1 alpha-3 code of the country', 3),
    zipcode: text('Postal code', 20),
  },
  { additionalProperties: false },
)

/** The payer as published (contract section 2.5): every field optional, because each rail says what it needs. */
export const Customer = Type.Object(
  {
    id: text("The caller's id of the payer"),
    firstName: text('Given name'),
    lastName: text('Family name'),
    email: Type.Optional(
      Type.String({ description: 'E-mail address', format: 'email', maxLength: limits.emailLength }),
    ),
    phoneNumber: text('Phone number without its country prefix', 20),
    phoneNumberPrefix: text('Country prefix of the phone number, e.g. +57', 5),
    documentType: text('Type of the identity document, e.g. RUT, CPF, CC', 20),
    documentNumber: text('Number of the identity document', limits.documentNumberLength),
    address: Type.Optional(Address),
  },
  { additionalProperties: false },
)

export const customer = Type.Optional(Customer)

/** Published on most rails; accepted and not needed, because the session has its own. */
export const returnUrls = {
  successUrl: url('Where the payer goes after paying'),
  failedUrl: url('Where the payer goes after a failure'),
}

/** The provider's page or widget, and its reference of the attempt. */
export const redirect = {
  url: url('The page to send the payer to'),
  token: text("The provider's token of this attempt", 200),
}

/** A payload to scan or paste, and the same as an image. */
export const qr = {
  data: text('The payload of the QR, to copy and paste', 1024),
  qrCode: text('The QR as a PNG image in base64', 20_000),
}

/** Bounds of a rail's currency, in major units; `step` is its precision, by default the currency's smallest unit. */
export function bounds<C extends Currency>(
  currency: C,
  min: string,
  max: string,
  step?: string,
): Record<C, RailCurrency> {
  const minor = (amount: string) => {
    const parsed = parseAmount(amount, currency)
    if (parsed === undefined) throw new RangeError(`${amount} is not an amount of ${currency}`)
    return parsed
  }
  const range = { stepMinor: step === undefined ? 1n : minor(step), minMinor: minor(min), maxMinor: minor(max) }
  return { [currency]: range } as Record<C, RailCurrency>
}

export function minutes(count: number): number {
  return count * 60_000
}

export function hours(count: number): number {
  return minutes(count * 60)
}

export function days(count: number): number {
  return hours(count * 24)
}
