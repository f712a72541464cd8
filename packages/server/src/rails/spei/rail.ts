/** SPEI, Mexico's interbank transfer: a CLABE made for this payment. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, hours, returnUrls, text } from '../fields.ts'

export const spei: Rail = {
  type: 'SPEI',
  key: 'spei',
  name: 'SPEI',
  countries: ['MEX'],
  currencies: bounds('MXN', '0.01', '100000000'),
  flow: 'transfer',
  required: ['customer.firstName', 'customer.lastName'],
  fields: Type.Object(
    {
      clabe: text('The 18 digits to transfer to', 18),
      bankId: text('Code of the bank that holds the CLABE', 20),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: ['CURP', 'RFC', 'PASSPORT'],
  expiresAfterMs: hours(24),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(30),
  settlement: 'T+0',
}
