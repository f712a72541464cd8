/** PCT, Argentina's interoperable QR (Transferencias 3.0): any wallet pays it. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, qr, returnUrls } from '../fields.ts'

export const pct: Rail = {
  type: 'PCT',
  key: 'pct',
  name: 'QR interoperable',
  countries: ['ARG'],
  currencies: bounds('ARS', '10', '5000000'),
  flow: 'qr',
  required: ['customer.phoneNumber', 'customer.phoneNumberPrefix', 'customer.email'],
  fields: Type.Object({ ...qr, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['CUIL', 'CUIT', 'DNI', 'PASSPORT'],
  expiresAfterMs: minutes(30),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+1',
}
