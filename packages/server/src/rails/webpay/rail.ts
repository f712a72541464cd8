/** Webpay Plus, Chile: Transbank's page for debit, credit and prepaid cards. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls } from '../fields.ts'

export const webpay: Rail = {
  type: 'WEBPAY',
  key: 'webpay',
  name: 'Webpay Plus',
  countries: ['CHL'],
  currencies: bounds('CLP', '50', '100000000'),
  flow: 'redirect',
  required: ['customer.firstName', 'customer.lastName', 'customer.email'],
  fields: Type.Object({ ...redirect, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['RUT', 'PASSPORT'],
  expiresAfterMs: minutes(10),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(3),
  settlement: 'T+1',
}
