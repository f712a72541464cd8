/** PSE, Colombia: a debit authorised at the payer's own bank. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls, text } from '../fields.ts'

export const pse: Rail = {
  type: 'PSE',
  key: 'pse',
  name: 'PSE',
  countries: ['COL'],
  currencies: bounds('COP', '1000', '200000000', '1'),
  flow: 'redirect',
  required: [
    'bankId',
    'customer.documentNumber',
    'customer.documentType',
    'customer.firstName',
    'customer.lastName',
    'customer.phoneNumber',
    'customer.email',
  ],
  banksOf: 'COL',
  fields: Type.Object(
    { bankId: text("Code of the payer's bank", 20), ...redirect, customer, ...returnUrls },
    { additionalProperties: false },
  ),
  documentTypes: ['CC', 'CE', 'NIT', 'CED_CIU', 'CED_EXT', 'PASSPORT'],
  expiresAfterMs: minutes(20),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(3),
  settlement: 'T+1',
}
