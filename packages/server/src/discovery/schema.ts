/** Discovery on the wire (contract sections 4.4, read form, and 10.6). */

import { currencyCodes } from '@pasarela/connector-kit'
import Type from 'typebox'
import type { Account } from '../accounts/account.ts'
import { named } from '../kit/operation.ts'
import { commaListOf } from '../kit/page.ts'
import { railTypes } from '../rails/index.ts'
import type { Products } from './discover.ts'

const closed = { additionalProperties: false }
const CurrencyCode = Type.Enum([...currencyCodes])
const Digits = (description: string) => Type.Optional(Type.String({ pattern: '^\\d+$', description }))

export const DiscoveredNode = Type.Object(
  {
    type: Type.Enum([...railTypes]),
    currency: Type.Enum([...currencyCodes], { description: 'What the payer pays in.' }),
    name: Type.Optional(Type.String({ description: 'What people call it.' })),
    product: Type.Optional(Type.String({ description: '`purchaseCurrency:currency`.' })),
    settlement: Type.Optional(Type.String({ description: 'When the money is available, e.g. `T+1`.' })),
    minAmount: Digits('Least the payer can pay, in whole units of `currency`, rounded down.'),
    maxAmount: Digits('Most the payer can pay, in whole units of `currency`, rounded up.'),
    requiredFields: Type.Array(Type.String(), {
      description: 'Dotted paths that begin with the node’s key, e.g. `pct.customer.email`.',
    }),
    requiredFieldTypes: Type.Record(Type.String(), Type.String(), {
      description: 'The JSON type at each of these paths.',
    }),
    validOrigins: Type.Optional(Type.Array(Type.String())),
    validDestinations: Type.Optional(Type.Array(Type.String())),
    account: Type.Optional(
      Type.Object(
        {
          type: Type.String(),
          currency: CurrencyCode,
          accountNumber: Type.String(),
          accountHolder: Type.String(),
          identityId: Type.String(),
          name: Type.String(),
        },
        closed,
      ),
    ),
  },
  {
    ...closed,
    $id: 'DiscoveredNode',
    title: 'DiscoveredNode',
    description: 'A way to pay or to be paid, as forms need it.',
  },
)

const Nodes = Type.Array(named(DiscoveredNode))

export const AvailableProducts = Type.Object(
  {
    supportedPaymentCurrencies: Type.Array(CurrencyCode, {
      description: 'What accounts can be paid in: the currencies of `byCurrency`.',
    }),
    supportedPayoutCurrencies: Type.Array(CurrencyCode, { description: 'Empty: payouts are not made here.' }),
    supportedPaymentMethods: Type.Array(Type.String()),
    supportedWithdrawalMethods: Type.Array(Type.String(), { description: 'Empty: payouts are not made here.' }),
    byCurrency: Type.Array(
      Type.Object(
        {
          currency: Type.Enum([...currencyCodes], {
            description: 'What the account is in; what the payer pays in may be another.',
          }),
          payin: Type.Object({ paymentMethods: Type.Array(Type.String()), products: Nodes }, closed),
          payout: Type.Object({ withdrawalMethods: Type.Array(Type.String()), products: Nodes }, closed),
        },
        closed,
      ),
    ),
  },
  { ...closed, $id: 'AvailableProducts', title: 'AvailableProducts' },
)

export const Bank = Type.Object(
  { code: Type.String(), name: Type.String(), countryCode: Type.String() },
  { ...closed, $id: 'Bank', title: 'Bank' },
)

const AccountNumber = Type.Optional(Type.String({ maxLength: 60, description: 'An account of yours.' }))

export const ProductsQuery = Type.Object(
  {
    identityId: Type.Optional(Type.String({ maxLength: 60, description: 'Only for the accounts of this identity.' })),
    currencies: Type.Optional(commaListOf(currencyCodes, 'Only these currencies of accounts, e.g. `ARS,CLP`.')),
  },
  closed,
)
export const OriginsQuery = Type.Object(
  {
    accountNumber: AccountNumber,
    currency: Type.Optional(Type.Enum([...currencyCodes], { description: 'What the account is in.' })),
    purchaseCurrency: Type.Optional(Type.Enum([...currencyCodes], { description: 'What the payer pays in.' })),
  },
  closed,
)
export const DestinationsQuery = Type.Object(
  {
    accountNumber: AccountNumber,
    type: Type.Optional(Type.String({ maxLength: 20, description: 'Only ACCOUNT exists here.' })),
  },
  closed,
)

export const discoverySchemas = [DiscoveredNode, AvailableProducts, Bank]

/** Products grouped by the currency of the account. */
export function productsToWire(products: Products): Type.Static<typeof AvailableProducts> {
  const payable = products.filter(({ nodes }) => nodes.length > 0)
  const methodsOf = (of: Products) => [...new Set(of.flatMap(({ nodes }) => nodes.map((node) => node.type)))]
  return {
    supportedPaymentCurrencies: payable.map(({ currency }) => currency),
    supportedPayoutCurrencies: [],
    supportedPaymentMethods: methodsOf(payable),
    supportedWithdrawalMethods: [],
    byCurrency: products.map((product) => ({
      currency: product.currency,
      payin: { paymentMethods: methodsOf([product]), products: product.nodes },
      payout: { withdrawalMethods: [], products: [] },
    })),
  }
}

/** A destination: an account's node, with the account itself if one was asked for. */
export function destinationToWire({
  currency,
  account,
}: {
  currency: Account['currency']
  account: Account | undefined
}) {
  const path = 'account.accountNumber'
  return {
    type: 'ACCOUNT',
    currency,
    requiredFields: [path],
    requiredFieldTypes: { [path]: 'string' },
    ...(account
      ? {
          account: {
            type: account.type,
            currency,
            accountNumber: account.accountNumber,
            accountHolder: account.accountHolder,
            identityId: account.identityId,
            name: account.name,
          },
        }
      : {}),
  }
}
