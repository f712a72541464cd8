/** Pix, Brazil's instant payment: a BR Code to scan or paste into any bank's app. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, qr, returnUrls, text } from '../fields.ts'

export const pix: Rail = {
  type: 'PIX',
  key: 'pix',
  name: 'Pix',
  countries: ['BRA'],
  // The central bank sets no ceiling by day; the payer's bank does.
  currencies: bounds('BRL', '0.01', '10000000'),
  flow: 'qr',
  required: ['customer.firstName', 'customer.lastName', 'customer.email', 'customer.documentNumber'],
  fields: Type.Object(
    {
      ...qr,
      expiredAt: text('Until when the code can be paid', 40),
      instructions: text('What to tell the payer', 500),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: ['CPF', 'CNPJ'],
  expiresAfterMs: minutes(30),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+0',
}
