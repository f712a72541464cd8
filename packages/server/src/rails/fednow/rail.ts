/** FedNow, USA: a request for payment that the payer's bank answers within seconds. */

import type { Rail } from '@pasarela/connector-kit'
import { bounds, days } from '../fields.ts'
import { usAccountAliases, usAccountFields, usAccountRequired, usDocumentTypes } from '../us-account.ts'

export const fednow: Rail = {
  type: 'FEDNOW',
  key: 'fedNow',
  name: 'FedNow',
  countries: ['USA'],
  // The network's ceiling since November 2025.
  currencies: bounds('USD', '0.01', '10000000'),
  flow: 'wallet',
  required: usAccountRequired,
  aliases: usAccountAliases,
  fields: usAccountFields,
  documentTypes: usDocumentTypes,
  expiresAfterMs: days(1),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+0',
}
