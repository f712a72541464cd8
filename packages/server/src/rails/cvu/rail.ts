/** CVU: a transfer to a virtual account number, assigned beforehand or made for this payment. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, hours, returnUrls, text } from '../fields.ts'

export const cvu: Rail = {
  type: 'CVU',
  key: 'cvu',
  name: 'Transferencia CVU',
  countries: ['ARG'],
  currencies: bounds('ARS', '1', '100000000'),
  flow: 'transfer',
  required: [],
  fields: Type.Object(
    { code: text('The 22 digits to transfer to', 22), customer, ...returnUrls },
    { additionalProperties: false },
  ),
  documentTypes: ['CUIL', 'CUIT', 'DNI', 'PASSPORT'],
  expiresAfterMs: hours(24),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(30),
  settlement: 'T+0',
}
