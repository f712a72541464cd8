/** A transfer from another account of this system: the payer's own balance. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { limits } from '../../vocabulary/limits.ts'
import { bounds, customer, days, minutes, returnUrls, text } from '../fields.ts'

export const account: Rail = {
  type: 'ACCOUNT',
  key: 'account',
  name: 'Account balance',
  countries: [],
  // A book transfer has no bounds of its own.
  currencies: {
    ...bounds('CLP', '1', '1000000000000'),
    ...bounds('MXN', '0.01', '1000000000'),
    ...bounds('COP', '0.01', '1000000000000'),
    ...bounds('PEN', '0.01', '1000000000'),
    ...bounds('BOB', '0.01', '1000000000'),
    ...bounds('PYG', '1', '1000000000000'),
    ...bounds('AUD', '0.01', '1000000000'),
    ...bounds('ARS', '0.01', '1000000000000'),
    ...bounds('BRL', '0.01', '1000000000'),
    ...bounds('USD', '0.01', '1000000000'),
    ...bounds('CAD', '0.01', '1000000000'),
    ...bounds('EUR', '0.01', '1000000000'),
    ...bounds('GBP', '0.01', '1000000000'),
    ...bounds('USDC', '0.000001', '1000000000'),
    ...bounds('USDT', '0.000001', '1000000000'),
  },
  flow: 'wallet',
  required: ['accountNumber'],
  fields: Type.Object(
    {
      type: text('Type of the account, e.g. CHECKING', 30),
      currency: text('Currency of the account', 5),
      accountNumber: text('Number of the account'),
      accountHolder: text('Who holds the account'),
      identityId: text('Identity that owns the account'),
      name: text('Name of the account'),
      balance: text('Balance, in the read form', limits.nameLength),
      availableFunds: text('Available funds, in the read form', limits.nameLength),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: [],
  expiresAfterMs: minutes(15),
  paidOn: 'RECEIVED',
  capture: 'automatic',
  cancel: 'provider',
  watchedForMs: days(1),
  settlement: 'T+0',
}
