/** The Bancolombia button, Colombia: a payment confirmed at the bank's own page. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls } from '../fields.ts'

export const bancolombia: Rail = {
  type: 'BANCOLOMBIA',
  key: 'bancolombia',
  name: 'Botón Bancolombia',
  countries: ['COL'],
  currencies: bounds('COP', '1000', '30000000', '1'),
  flow: 'redirect',
  required: ['customer.email'],
  fields: Type.Object({ ...redirect, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['CC', 'CE', 'NIT', 'CED_CIU', 'CED_EXT', 'PASSPORT'],
  expiresAfterMs: minutes(20),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(3),
  settlement: 'T+1',
}
