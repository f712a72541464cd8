/** The discovery endpoints (contract section 10.6): what payment forms are made from. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { readCommaList } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { banksOf } from '../rails/banks.ts'
import { availableProducts, paymentDestinations, paymentOrigins } from './discover.ts'
import {
  AvailableProducts,
  Bank,
  DestinationsQuery,
  DiscoveredNode,
  destinationToWire,
  discoverySchemas,
  OriginsQuery,
  ProductsQuery,
  productsToWire,
} from './schema.ts'

const tag = 'Discovery'

const origin = {
  type: 'PCT',
  currency: 'ARS',
  name: 'Transferencias 3.0',
  product: 'ARS:ARS',
  settlement: 'T+1',
  minAmount: '10',
  maxAmount: '5000000',
  requiredFields: ['pct.customer.email'],
  requiredFieldTypes: { 'pct.customer.email': 'string' },
  validDestinations: ['ACCOUNT'],
}

const products = operation({
  operationId: 'listAvailableProducts',
  tag,
  summary: 'List what can be paid with',
  description:
    'For each currency in which there is an ACTIVE account: the methods that pay into it. A method in another currency is listed where there is an exchange rate.',
  querystring: ProductsQuery,
  answers: { 200: named(AvailableProducts) },
  refusals: ['notFound'],
  example: {
    answer: {
      supportedPaymentCurrencies: ['ARS'],
      supportedPayoutCurrencies: [],
      supportedPaymentMethods: ['PCT'],
      supportedWithdrawalMethods: [],
      byCurrency: [
        {
          currency: 'ARS',
          payin: { paymentMethods: ['PCT'], products: [origin] },
          payout: { withdrawalMethods: [], products: [] },
        },
      ],
    },
  },
})
const origins = operation({
  operationId: 'listPaymentOrigins',
  tag,
  summary: 'List the nodes that pay into an account',
  querystring: OriginsQuery,
  answers: { 200: Type.Array(named(DiscoveredNode)) },
  refusals: ['notFound'],
  example: { answer: [origin] },
})
const destinations = operation({
  operationId: 'listPaymentDestinations',
  tag,
  summary: 'List the nodes that can be paid',
  querystring: DestinationsQuery,
  answers: { 200: Type.Array(named(DiscoveredNode)) },
  refusals: ['notFound'],
  example: {
    answer: [
      {
        type: 'ACCOUNT',
        currency: 'ARS',
        requiredFields: ['account.accountNumber'],
        requiredFieldTypes: { 'account.accountNumber': 'string' },
      },
    ],
  },
})
const banks = operation({
  operationId: 'listBanks',
  tag,
  summary: 'List the banks of a country',
  params: Type.Object({ country: Type.String({ description: 'ISO 3166-1 alpha-3.' }) }),
  answers: { 200: Type.Array(named(Bank)) },
  example: { answer: [{ code: '1007', name: 'Bancolombia', countryCode: 'COL' }] },
})

export function discoveryRoutes(app: App, ctx: Context): void {
  for (const schema of discoverySchemas) app.addSchema(schema)

  app.get('/payments/available-products', { schema: products }, async ({ caller, query }) =>
    productsToWire(
      await availableProducts(ctx, caller, {
        identityId: query.identityId,
        currencies: readCommaList(query.currencies),
      }),
    ),
  )
  app.get('/payment-origins', { schema: origins }, async ({ caller, query }) => paymentOrigins(ctx, caller, query))
  app.get('/payment-destinations', { schema: destinations }, async ({ caller, query }) => {
    const found = await paymentDestinations(ctx, caller, query.accountNumber)
    return query.type === undefined || query.type === 'ACCOUNT' ? found.map(destinationToWire) : []
  })
  app.get('/payments/banks/:country', { schema: banks }, async ({ params }) => {
    const found = banksOf(params.country.toUpperCase())
    if (!found) throw problem('notFound', `There is no list of the banks of ${params.country}.`)
    return [...found]
  })
}
