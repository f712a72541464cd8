/** ETpay, Chile: a bank transfer begun from the payer's own bank. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls, text, url } from '../fields.ts'

export const etpay: Rail = {
  type: 'ETPAY',
  key: 'etpay',
  name: 'ETpay',
  countries: ['CHL'],
  // Chilean banks move at most 7 million pesos per electronic transfer of a person.
  currencies: bounds('CLP', '1', '7000000'),
  flow: 'redirect',
  required: ['customer.firstName', 'customer.email'],
  fields: Type.Object(
    {
      ...redirect,
      redirectUrl: url('Deprecated: where the payer returns to'),
      expiresAt: text('Until when the page can be used', 40),
      signatureToken: text('Token that signs the attempt', 200),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: ['RUT', 'PASSPORT'],
  expiresAfterMs: minutes(20),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(3),
  settlement: 'T+1',
}
