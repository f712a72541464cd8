/** Davivienda, Colombia: a payment confirmed at the bank's own page. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls, text } from '../fields.ts'

export const davivienda: Rail = {
  type: 'DAVIVIENDA',
  key: 'davivienda',
  name: 'Davivienda',
  countries: ['COL'],
  currencies: bounds('COP', '1000', '30000000', '1'),
  flow: 'redirect',
  // Older prose also asks for `bankId`, which can only be this bank's own: accepted, not asked for.
  required: ['customer.email'],
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
