/** RTP, USA: a request for payment on The Clearing House's real-time network. */

import type { Rail } from '@pasarela/connector-kit'
import { bounds, days } from '../fields.ts'
import { usAccountAliases, usAccountFields, usAccountRequired, usDocumentTypes } from '../us-account.ts'

export const rtp: Rail = {
  type: 'RTP',
  key: 'rtp',
  name: 'RTP',
  countries: ['USA'],
  // The network's ceiling since February 2025.
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
