/** The payment link on the wire (contract section 3). */

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
  Owner,
  offerFields,
  PaymentMethod,
} from '../offers/schema.ts'
import { linkMachine, linkUrl, type PaymentLink } from './link.ts'

const closed = { additionalProperties: false }

export const CreateLink = Type.Object(
  {
    ...offerFields,
    active: Type.Optional(Type.Boolean({ description: 'Ours: activate at once.' })),
    maxPayments: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Ours: how many payments it may bring; none = any number.',
      }),
    ),
  },
  { ...closed, $id: 'CreatePaymentLink', title: 'CreatePaymentLink' },
)
export type CreateLink = Type.Static<typeof CreateLink>

export const PaymentLinkSchema = Type.Object(
  {
    id: Type.String(),
    checkoutToken: Type.String(),
    status: Type.Enum([...linkMachine.statuses]),
    items: Type.Array(named(Item)),
    currency: CurrencyCode,
    preTaxAmount: Amount,
    totalAmount: Amount,
    url: Type.String({ description: 'Opens the hosted offer. Whoever has it may pay.' }),
    paymentMethodsAllowed: Type.Array(PaymentMethod),
    customer: Type.Optional(Type.Union([named(Customer), Type.Null()])),
    createdAt: Type.String({ format: 'date-time' }),
    destinations: Type.Array(named(Destination)),
    duration: Type.Integer(),
    customerRequirements: Type.Optional(Type.Array(Type.Enum([...customerRequirements]))),
    owner: named(Owner),
    successUrl: Type.Optional(Type.String()),
    failedUrl: Type.Optional(Type.String()),
    expiresAt: Type.String({ format: 'date-time' }),
    metadata: Metadata,
    maxPayments: Type.Optional(Type.Integer()),
  },
  { ...closed, $id: 'PaymentLink', title: 'PaymentLink' },
)

/** The link without its secret `url`: what events hold. */
export function toSnapshot(link: PaymentLink) {
  return {
    id: link.id,
    checkoutToken: link.checkoutToken,
    status: link.status,
    items: link.items,
    currency: link.currency,
    preTaxAmount: formatAmount(link.preTaxMinor, link.currency),
    totalAmount: formatAmount(link.totalMinor, link.currency),
    paymentMethodsAllowed: link.paymentMethods,
    customer: link.customer,
    createdAt: link.createdAt.toISOString(),
    destinations: link.destinations.map(({ accountId: _, ...shown }) => shown),
    duration: link.durationSeconds,
    ...(link.customerRequirements ? { customerRequirements: link.customerRequirements } : {}),
    owner: link.owner,
    ...(link.successUrl ? { successUrl: link.successUrl } : {}),
    ...(link.failedUrl ? { failedUrl: link.failedUrl } : {}),
    expiresAt: link.expiresAt.toISOString(),
    metadata: link.metadata,
    ...(link.maxPayments === null ? {} : { maxPayments: link.maxPayments }),
  }
}

/** The link as the API answers it. */
export function toWire(link: PaymentLink, publicUrl: string) {
  return { ...toSnapshot(link), url: linkUrl(publicUrl, link.merchantId, link.pageToken) }
}
