/** ACH, USA: a debit through the automated clearing house. */

import type { Rail } from '@pasarela/connector-kit'
import { bounds, days } from '../fields.ts'
import { usAccountAliases, usAccountFields, usAccountRequired, usDocumentTypes } from '../us-account.ts'

export const ach: Rail = {
  type: 'ACH',
  key: 'ach',
  name: 'ACH',
  countries: ['USA'],
  // A same-day entry is at most one million dollars (Nacha).
  currencies: bounds('USD', '0.01', '1000000'),
  flow: 'wallet',
  required: usAccountRequired,
  aliases: usAccountAliases,
  fields: usAccountFields,
  documentTypes: usDocumentTypes,
  expiresAfterMs: days(3),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+2',
}
