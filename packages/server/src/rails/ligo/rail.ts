/** Ligo, Peru: an interoperable QR that the country's wallets and banks pay. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, qr, returnUrls } from '../fields.ts'

export const ligo: Rail = {
  type: 'LIGO',
  key: 'ligo',
  name: 'QR Ligo',
  countries: ['PER'],
  // An immediate interbank transfer in soles goes up to 30,000.
  currencies: bounds('PEN', '1', '30000'),
  flow: 'qr',
  required: ['customer.firstName'],
  fields: Type.Object({ ...qr, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['DNI', 'CE', 'RUC', 'PASSPORT'],
  expiresAfterMs: minutes(15),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(7),
  settlement: 'T+1',
}
