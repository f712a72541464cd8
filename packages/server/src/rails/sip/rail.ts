/** SIP, Bolivia and Peru: an interoperable QR of the local banks. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, hours, qr, returnUrls } from '../fields.ts'

export const sip: Rail = {
  type: 'SIP',
  key: 'sip',
  name: 'QR Simple',
  countries: ['BOL', 'PER'],
  currencies: { ...bounds('BOB', '1', '100000'), ...bounds('PEN', '1', '30000') },
  flow: 'qr',
  required: ['customer.firstName'],
  fields: Type.Object({ ...qr, customer, ...returnUrls }, { additionalProperties: false }),
  documentTypes: ['CI', 'DNI', 'CE', 'RUC', 'PASSPORT'],
  expiresAfterMs: hours(24),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+1',
}
