/** The session on the wire (contract section 2.3). */

import { formatAmount } from '@pasarela/connector-kit'
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import {
  Amount,
  CurrencyCode,
  Customer,
  customerRequirements,
  Destination,
  Item,
  Metadata,
  type OfferBody,
  Owner,
  offerFields,
  PaymentMethod,
} from '../offers/schema.ts'
import { toPaymentConfigs } from '../quotes/quote.ts'
import { pageUrl, redirectUrlOf, type Session, sessionMachine } from './session.ts'

const closed = { additionalProperties: false }
const When = Type.String({ format: 'date-time' })

const PaymentMethodConfig = Type.Object(
  {
    id: Type.String({ description: 'The method in this currency.' }),
    type: PaymentMethod,
    enabled: Type.Boolean({ description: 'Whether it can be used for this amount.' }),
    requiredFields: Type.Array(Type.String(), { description: 'Dotted paths of what the provider needs.' }),
    purchaseAmount: Amount,
  },
  closed,
)

export const PaymentConfig = Type.Object(
  {
    currency: CurrencyCode,
    product: Type.String({ description: '`purchaseCurrency:currency`.' }),
    exchangeRate: Type.String({ description: 'How much of the session’s currency one unit of `currency` is.' }),
    paymentMethods: Type.Array(PaymentMethodConfig),
  },
  { ...closed, $id: 'PaymentConfig', title: 'PaymentConfig' },
)

export const CheckoutSession = Type.Object(
  {
    id: Type.String(),
    paymentLinkId: Type.Optional(Type.String()),
    checkoutToken: Type.String(),
    paymentConfigs: Type.Array(named(PaymentConfig)),
    createdAt: When,
    status: Type.Enum([...sessionMachine.statuses]),
    items: Type.Array(named(Item)),
    currency: CurrencyCode,
    preTaxAmount: Amount,
    totalAmount: Amount,
    url: Type.String({ description: 'Opens the hosted checkout. Whoever has it may pay: treat it as a secret.' }),
    paymentMethodsAllowed: Type.Array(PaymentMethod),
    customer: Type.Optional(Type.Union([named(Customer), Type.Null()])),
    redirectUrl: Type.Optional(Type.String()),
    destinations: Type.Array(named(Destination)),
    customerRequirements: Type.Optional(Type.Array(Type.Enum([...customerRequirements]))),
    expiresAt: When,
    owner: named(Owner),
    metadata: Metadata,
    rootSessionId: Type.String({
      description: 'The first session of the chain of refreshes; the chain is paid at most once.',
    }),
    successorId: Type.Optional(Type.String({ description: 'The session that replaced this one.' })),
    updatedAt: When,
  },
  { ...closed, $id: 'CheckoutSession', title: 'CheckoutSession' },
)

/** A session as events keep it: everything but the secret url. */
export type SessionWire = ReturnType<typeof toSnapshot>

/** The session without its secret `url`: what events hold. */
export function toSnapshot(session: Session) {
  const redirectUrl = redirectUrlOf(session)
  return {
    id: session.id,
    ...(session.paymentLinkId ? { paymentLinkId: session.paymentLinkId } : {}),
    checkoutToken: session.checkoutToken,
    paymentConfigs: toPaymentConfigs(session.quote, session.currency),
    createdAt: session.createdAt.toISOString(),
    status: session.status,
    items: session.items,
    currency: session.currency,
    preTaxAmount: formatAmount(session.preTaxMinor, session.currency),
    totalAmount: formatAmount(session.totalMinor, session.currency),
    paymentMethodsAllowed: session.paymentMethods,
    customer: session.customer,
    ...(redirectUrl ? { redirectUrl } : {}),
    destinations: session.destinations.map(({ accountId: _, ...shown }) => shown),
    ...(session.customerRequirements ? { customerRequirements: session.customerRequirements } : {}),
    expiresAt: session.expiresAt.toISOString(),
    owner: session.owner,
    metadata: session.metadata,
    rootSessionId: session.rootSessionId,
    ...(session.successorId ? { successorId: session.successorId } : {}),
    updatedAt: session.updatedAt.toISOString(),
  }
}

/** The session as the API answers it. */
export function toWire(session: Session, publicUrl: string) {
  return { ...toSnapshot(session), url: pageUrl(publicUrl, session.merchantId, session.pageToken) }
}

const { checkoutToken, customer, ...others } = offerFields
const fullFields = ['items', 'currency', 'paymentMethodsAllowed', 'destinations', 'duration', 'owner']

/** Both published forms: the whole offer, or the token of an active link and perhaps the payer. */
export const CreateSession = Type.Unsafe<
  Type.Static<typeof OfferBody> | { checkoutToken: string; customer?: Type.Static<typeof Customer> | null }
>({
  $id: 'CreateCheckoutSession',
  title: 'CreateCheckoutSession',
  description: 'Either the whole offer, or `checkoutToken` of an ACTIVE payment link and optionally `customer`.',
  ...Type.Object({ checkoutToken, customer, ...Type.Partial(Type.Object(others)).properties }, closed),
  if: { anyOf: fullFields.map((field) => ({ required: [field] })) },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word.
  then: { required: fullFields },
  else: { propertyNames: { enum: ['checkoutToken', 'customer'] } },
})
