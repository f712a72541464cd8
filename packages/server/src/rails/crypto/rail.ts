/** A transfer of a dollar token to an address made for this payment. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, minutes, qr, returnUrls, text } from '../fields.ts'

export const crypto: Rail = {
  type: 'CRYPTO',
  key: 'wallet',
  name: 'Crypto',
  countries: [],
  currencies: { ...bounds('USDC', '1', '1000000'), ...bounds('USDT', '1', '1000000') },
  flow: 'transfer',
  required: [],
  fields: Type.Object(
    {
      address: text('Address to transfer to'),
      provider: text('Wallet or exchange of the payer'),
      referenceId: text("The provider's reference of the attempt"),
      token: text('Token to transfer, e.g. USDC', 20),
      network: Type.Optional(
        Type.String({ description: 'ETH, TRON or SOLANA; ETH when absent', enum: ['ETH', 'TRON', 'SOLANA'] }),
      ),
      customer,
      ...qr,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: [],
  expiresAfterMs: minutes(60),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'local',
  watchedForMs: days(30),
  settlement: 'T+0',
}
