/** Wompi, Colombia: a gateway's own page with several local methods. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, redirect, returnUrls, text, url } from '../fields.ts'

export const wompi: Rail = {
  type: 'WOMPI',
  key: 'wompi',
  name: 'Wompi',
  countries: ['COL'],
  currencies: bounds('COP', '1500', '200000000', '1'),
  flow: 'redirect',
  required: ['customer.firstName', 'customer.email'],
  fields: Type.Object(
    {
      ...redirect,
      redirectUrl: url('Where the payer returns to'),
      expiresAt: text('Until when the page can be used', 40),
      signatureToken: text('Token that signs the attempt', 200),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: ['CC', 'CE', 'NIT', 'CED_CIU', 'CED_EXT', 'PASSPORT'],
  expiresAfterMs: minutes(30),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(3),
  settlement: 'T+1',
}
