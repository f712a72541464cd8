/** Fintoc, Chile: a bank transfer begun in its widget. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls } from '../fields.ts'

export const fintoc: Rail = {
  type: 'FINTOC',
  key: 'fintoc',
  name: 'Fintoc',
  countries: ['CHL'],
  // docs.fintoc.com, "Transaction limits": 7 million at the largest banks, from one peso.
  currencies: bounds('CLP', '1', '7000000'),
  flow: 'redirect',
  required: [],
  fields: Type.Object({ ...redirect, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['RUT', 'PASSPORT'],
  expiresAfterMs: minutes(20),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(3),
  settlement: 'T+1',
}
