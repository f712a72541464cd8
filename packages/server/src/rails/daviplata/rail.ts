/** DaviPlata, Colombia: a wallet whose holder confirms in its app. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, returnUrls } from '../fields.ts'

export const daviplata: Rail = {
  type: 'DAVIPLATA',
  key: 'daviplata',
  name: 'DaviPlata',
  countries: ['COL'],
  // The wallet's monthly ceiling of a low-amount deposit, as its operator published it for 2025.
  currencies: bounds('COP', '1000', '8927726', '1'),
  flow: 'wallet',
  required: ['customer.documentType', 'customer.documentNumber', 'customer.email'],
  fields: Type.Object({ customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['CC', 'CE', 'CED_CIU', 'CED_EXT', 'PASSPORT'],
  expiresAfterMs: minutes(15),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(3),
  settlement: 'T+1',
}
