/** The payment node of the contract (section 4.3): base fields and exactly the rail object that belongs to its `type`. */

import { currencyCodes, type Rail } from '@pasarela/connector-kit'
import Type, { type TSchema } from 'typebox'
import { limits } from '../vocabulary/limits.ts'
import { text } from './fields.ts'
import { rails, railTypes } from './index.ts'

const amount = (description: string) => text(description, 24)

const Fee = Type.Object(
  {
    name: Type.String({ maxLength: limits.nameLength }),
    type: Type.String({ enum: ['FIXED', 'PERCENTAGE'] }),
    value: Type.String({ maxLength: 24 }),
    amount: Type.String({ maxLength: 24 }),
    currency: Type.String({ enum: [...currencyCodes] }),
  },
  { additionalProperties: false },
)

const Identity = Type.Object(
  {
    identityId: text('Id of the identity'),
    externalId: text("The caller's id of the identity", limits.externalIdLength),
    name: text('Name'),
    lastname: text('Family name'),
    nickname: text('Short name'),
    documentNumber: text('Number of the identity document', limits.documentNumberLength),
    entityType: text('USER or ORGANIZATION', 30),
  },
  { additionalProperties: false },
)

const NodeMetadata = Type.Object(
  {
    image: Type.String({ maxLength: limits.urlLength }),
    description: Type.String({ maxLength: limits.descriptionLength }),
    category: Type.String({ maxLength: limits.nameLength }),
  },
  { additionalProperties: false },
)

/** What every node may hold beside `type`, `currency` and its rail object. Computed fields are accepted back and ignored. */
const base = {
  name: text('Provider of the rail'),
  externalId: text("The caller's reference of this node", limits.externalIdLength),
  amount: amount('What this node moves; without it, the whole'),
  amountOut: amount('Computed: amount less fees'),
  settlement: text('Computed: when the merchant has the money'),
  fee: Type.Optional(Fee),
  identity: Type.Optional(Identity),
  metadata: Type.Optional(NodeMetadata),
}

/** A node as submitted: `fields` of its rail are below the rail's key. */
export type PaymentNodeInput = {
  type: string
  currency: string
  name?: string
  externalId?: string
  amount?: string
  identity?: Record<string, unknown>
  metadata?: { image: string; description: string; category: string }
} & Record<string, unknown>

function branch(rail: Rail): TSchema {
  return Type.Object(
    {
      type: Type.Unsafe<string>({ type: 'string', const: rail.type }),
      currency: Type.String({ description: `What the payer pays in.`, enum: Object.keys(rail.currencies) }),
      ...base,
      [rail.key]: Type.Optional(rail.fields),
    },
    { title: rail.name, additionalProperties: false },
  )
}

/** A node on input. The discriminator makes a fault point into the branch of the node's own `type`. */
export const PaymentNodeInputSchema = Type.Unsafe<PaymentNodeInput>({
  $id: 'PaymentNodeInput',
  title: 'PaymentNodeInput',
  description: 'How the payer pays: a type, a currency and the object of that rail.',
  type: 'object',
  required: ['type'],
  properties: { type: { type: 'string', enum: [...railTypes] } },
  discriminator: { propertyName: 'type' },
  oneOf: rails.map(branch),
})

/** A node on output: flat, so that it serialises without trying the branches. At most one rail object is there. */
export const PaymentNodeSchema = Type.Object(
  {
    type: Type.String({ enum: [...railTypes] }),
    currency: Type.String({ enum: [...currencyCodes] }),
    ...base,
    ...Object.fromEntries(rails.map((rail) => [rail.key, Type.Optional(rail.fields)])),
  },
  { $id: 'PaymentNode', title: 'PaymentNode', additionalProperties: false },
)
