/** The wire shapes that sessions and links share (contract sections 2.2 to 2.7). */

import { currencyCodes } from '@pasarela/connector-kit'
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import { Customer as RailCustomer } from '../rails/fields.ts'
import { railTypes } from '../rails/index.ts'
import { limits } from '../vocabulary/limits.ts'

const closed = { additionalProperties: false }
const text = (maxLength: number, more: object = {}) => Type.String({ minLength: 1, maxLength, ...more })

/** A decimal number of major units as a string; the currency decides how many decimals it may have. */
export const Amount = Type.String({
  pattern: '^\\d{1,16}(\\.\\d{1,6})?$',
  'x-wants': 'a decimal number in a string, such as "1190" or "19.90"',
})
export const CurrencyCode = Type.Enum(currencyCodes, { description: 'ISO 4217, or a token code.' })
export const PaymentMethod = Type.Enum([...railTypes])
/** Written as plain JSON Schema: TypeBox's record would check only names without line breaks. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { type: 'string', minLength: 1, maxLength: limits.metadataKeyLength },
  additionalProperties: { type: 'string', maxLength: limits.metadataValueLength },
  maxProperties: limits.metadataPairsMax,
  description: 'Up to 50 pairs of your own; they travel from link to session to payment to events.',
})

export const Tax = Type.Object(
  {
    name: text(limits.nameLength),
    type: Type.Enum(['FIXED', 'PERCENTAGE']),
    value: Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,12})?$', 'x-wants': 'a decimal number in a string' }),
    amount: Type.String({ pattern: '^\\d{1,16}(\\.\\d{1,6})?$', 'x-wants': 'a decimal number in a string' }),
  },
  closed,
)

export const Item = Type.Object(
  {
    description: text(limits.descriptionLength),
    preTaxAmount: Amount,
    totalAmount: Amount,
    tax: Type.Optional(Type.Union([Tax, Type.Null()])),
  },
  { ...closed, $id: 'Item', title: 'Item' },
)

export const Customer = Type.Object(RailCustomer.properties, {
  ...closed,
  $id: 'SessionCustomer',
  title: 'SessionCustomer',
  description: 'The payer, as far as known.',
})

export const customerRequirements = [
  'firstName',
  'email',
  'lastName',
  'phoneNumber',
  'phoneNumberPrefix',
  'address',
  'documentNumber',
  'documentType',
] as const

const DestinationMetadata = Type.Object(
  { image: text(limits.urlLength), description: text(limits.descriptionLength), category: text(limits.nameLength) },
  closed,
)

export const Owner = Type.Object(
  {
    identityId: text(120),
    name: Type.Optional(text(limits.nameLength)),
    lastname: Type.Optional(text(limits.nameLength)),
    nickname: Type.Optional(text(limits.nameLength)),
    documentNumber: Type.Optional(text(limits.documentNumberLength)),
    entityType: Type.Optional(text(40)),
  },
  { ...closed, $id: 'Owner', title: 'Owner', description: 'The identity that makes the offer.' },
)

/** Both published forms: the full account block, or the account number with currency and identity beside it. */
export const DestinationInput = Type.Object(
  {
    type: Type.Literal('ACCOUNT'),
    amount: Amount,
    name: Type.Optional(text(limits.nameLength)),
    externalId: Type.Optional(text(limits.externalIdLength)),
    metadata: Type.Optional(DestinationMetadata),
    currency: Type.Optional(CurrencyCode),
    identity: Type.Optional(
      Type.Object(
        {
          identityId: text(120),
          name: Type.Optional(text(120)),
          lastname: Type.Optional(text(120)),
          documentNumber: Type.Optional(text(40)),
          externalId: Type.Optional(text(120)),
        },
        closed,
      ),
    ),
    account: Type.Object(
      {
        accountNumber: text(60),
        type: Type.Optional(text(20)),
        currency: Type.Optional(CurrencyCode),
        accountHolder: Type.Optional(text(250)),
      },
      closed,
    ),
  },
  { ...closed, $id: 'DestinationInput', title: 'DestinationInput' },
)

export const Destination = Type.Object(
  {
    type: Type.Literal('ACCOUNT'),
    amount: Amount,
    name: Type.Optional(Type.String()),
    externalId: Type.Optional(Type.String()),
    metadata: Type.Optional(DestinationMetadata),
    account: Type.Object(
      { type: Type.String(), currency: CurrencyCode, accountNumber: Type.String(), accountHolder: Type.String() },
      closed,
    ),
  },
  { ...closed, $id: 'Destination', title: 'Destination' },
)

const Url = text(limits.urlLength, { description: 'https (http only for localhost), without credentials.' })

/** The fields of the full create body; `metadata` is ours. */
export const offerFields = {
  checkoutToken: text(limits.checkoutTokenLength, {
    description: 'Your reference; unique among your links, and among your open sessions.',
  }),
  items: Type.Array(named(Item), { minItems: 1, maxItems: limits.itemsMax }),
  currency: CurrencyCode,
  paymentMethodsAllowed: Type.Array(PaymentMethod, { minItems: 1, maxItems: 40 }),
  customer: Type.Optional(Type.Union([named(Customer), Type.Null()])),
  destinations: Type.Array(named(DestinationInput), { minItems: 1, maxItems: limits.destinationsMax }),
  duration: Type.Integer({
    minimum: limits.durationSecondsMin,
    maximum: limits.durationSecondsMax,
    description: 'Seconds from creation until it stops being active.',
  }),
  customerRequirements: Type.Optional(Type.Array(Type.Enum([...customerRequirements]), { maxItems: 8 })),
  owner: named(Owner),
  successUrl: Type.Optional(Url),
  failedUrl: Type.Optional(Url),
  metadata: Type.Optional(Metadata),
}

export const OfferBody = Type.Object(offerFields, closed)
export type OfferBody = Type.Static<typeof OfferBody>
export type CustomerBody = Type.Static<typeof Customer>
export type ItemBody = Type.Static<typeof Item>

/** For endpoints whose body is an empty JSON object, or nothing at all. */
export const EmptyBody = Type.Union([Type.Object({}, closed), Type.Null()], { $id: 'Empty', title: 'Empty' })

export const offerSchemas = [Item, Customer, Owner, DestinationInput, Destination, EmptyBody]

/** The example that the reference shows for sessions and links. */
export const offerExample = {
  checkoutToken: 'invoice-1001',
  items: [
    {
      description: 'Café de especialidad 250 g',
      preTaxAmount: '10.00',
      totalAmount: '11.90',
      tax: { name: 'ICMS', type: 'PERCENTAGE', value: '19', amount: '1.90' },
    },
  ],
  currency: 'BRL',
  paymentMethodsAllowed: ['PIX', 'CARD'],
  destinations: [{ type: 'ACCOUNT', amount: '11.90', account: { accountNumber: '100000000001' } }],
  duration: 3600,
  owner: { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab' },
  successUrl: 'https://shop.example/ok',
  failedUrl: 'https://shop.example/no',
}
