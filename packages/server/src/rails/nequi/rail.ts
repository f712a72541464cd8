/** Nequi, Colombia: a wallet; its app asks the holder of the phone number to confirm. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, returnUrls } from '../fields.ts'

export const nequi: Rail = {
  type: 'NEQUI',
  key: 'nequi',
  name: 'Nequi',
  countries: ['COL'],
  // 210.5 UVT a month for a low-amount deposit (Colombia, 2025).
  currencies: bounds('COP', '1000', '10482689', '1'),
  flow: 'wallet',
  required: ['customer.phoneNumber', 'customer.email'],
  fields: Type.Object({ customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['CC', 'CE', 'CED_CIU', 'CED_EXT', 'PASSPORT'],
  expiresAfterMs: minutes(45),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(3),
  settlement: 'T+1',
}
