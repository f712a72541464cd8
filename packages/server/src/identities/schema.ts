/** The identity on the wire (contract section 10.1). */
import Type, { type TSchema } from 'typebox'
import { named } from '../kit/operation.ts'
import { commaListOf, listQuery, Pagination } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { type IdentityWithChildren, identityStatuses, identityTypes } from './identity.ts'

const closed = { additionalProperties: false }
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description })
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const id = (description: string) => text(60, description)
const When = Type.String({ format: 'date-time' })

const name = text(limits.nameLength, 'Given name, or the name of the organisation.')
const lastname = text(limits.nameLength, 'Family name.')
const nickname = text(limits.nameLength, 'Short name.')
const email = Type.String({ format: 'email', maxLength: limits.emailLength })
const phone = Type.String({
  maxLength: 40,
  description: '`+`, country code and number; of the country, if one is given.',
})
const documentType = text(40, 'Type of the identity document, for example RUT, CUIT, CPF.')
const documentNumber = text(limits.documentNumberLength, 'Checked by the rules of its type, check digits included.')
const country = Type.String({ pattern: '^[A-Z]{3}$', 'x-wants': 'an ISO 3166-1 alpha-3 code such as CHL' })
const externalId = text(limits.externalIdLength, 'Your reference of this identity.')

const SecurityOptions = Type.Object(
  {
    twoFactorAuth: Type.Optional(Type.Boolean()),
    signTrx: Type.Optional(Type.Boolean()),
    signAccountsOperations: Type.Optional(Type.Boolean()),
    accessControl: Type.Optional(
      Type.Object({ scopes: Type.Optional(Type.Array(Type.String({ maxLength: 120 }), { maxItems: 100 })) }, closed),
    ),
  },
  { ...closed, description: 'Kept and shown; nothing here depends on it.' },
)
const addressPart = Type.Optional(Type.String({ maxLength: limits.nameLength }))
const Address = Type.Object(
  {
    administrativeAreaLevel1: addressPart,
    administrativeAreaLevel2: addressPart,
    administrativeAreaLevel3: addressPart,
    street: addressPart,
    streetNumber: addressPart,
    optionalAddress: addressPart,
    country: addressPart,
    zipcode: addressPart,
  },
  closed,
)
const profile = {
  securityOptions: Type.Optional(SecurityOptions),
  bankAccount: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { maxProperties: 30, description: 'Kept and shown.' }),
  ),
  address: Type.Optional(Address),
}

export const CreateIdentity = Type.Object(
  {
    type: Type.Optional(Type.Enum([...identityTypes], { description: 'Default `USER`.' })),
    name,
    lastname: Type.Optional(lastname),
    nickname: Type.Optional(nickname),
    email,
    phone,
    documentType,
    documentNumber,
    country: Type.Optional(country),
    externalId: Type.Optional(externalId),
    idv: Type.Optional(Type.Unknown({ description: 'Whatever you know of its verification: kept and shown.' })),
    children: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: id('An identity without a parent.'),
            name: Type.Optional(Type.String()),
            email: Type.Optional(Type.String()),
          },
          closed,
        ),
        { maxItems: limits.childrenPerRequest },
      ),
    ),
    ...profile,
    rules: Type.Optional(Type.Unknown({ description: 'Only empty: rules are made with `POST /rules`.' })),
  },
  { ...closed, $id: 'CreateIdentity', title: 'CreateIdentity' },
)
export type CreateIdentity = Type.Static<typeof CreateIdentity>

export const ChangeIdentity = Type.Object(
  {
    name: Type.Optional(name),
    lastname: Type.Optional(orNull(lastname)),
    nickname: Type.Optional(orNull(nickname)),
    email: Type.Optional(email),
    phone: Type.Optional(phone),
    country: Type.Optional(orNull(country)),
    externalId: Type.Optional(orNull(externalId)),
    idv: Type.Optional(Type.Unknown()),
    ...profile,
  },
  { ...closed, $id: 'ChangeIdentity', title: 'ChangeIdentity' },
)
export type ChangeIdentity = Type.Static<typeof ChangeIdentity>

export const Children = Type.Object(
  { children: Type.Array(id('Id of an identity.'), { minItems: 1, maxItems: limits.childrenPerRequest }) },
  { ...closed, $id: 'Children', title: 'Children' },
)

export const Identity = Type.Object(
  {
    id: Type.String(),
    parentId: Type.Optional(Type.String({ description: 'The identity whose fee rules this one inherits.' })),
    type: Type.Enum([...identityTypes]),
    name: Type.String(),
    lastname: Type.Optional(Type.String()),
    nickname: Type.Optional(Type.String()),
    email: Type.String(),
    phone: Type.String(),
    documentType: Type.String(),
    documentNumber: Type.String(),
    country: Type.Optional(Type.String()),
    externalId: Type.Optional(Type.String()),
    status: Type.Enum([...identityStatuses], { description: 'ACTIVE from the start: persons are not verified here.' }),
    idv: Type.Optional(Type.Unknown()),
    children: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), email: Type.String() }, closed), {
      description: `The first ${limits.childrenShown}; the filter \`parentId\` of the list finds all.`,
    }),
    ...profile,
    createdAt: When,
    updatedAt: When,
  },
  { ...closed, $id: 'Identity', title: 'Identity' },
)

export const IdentityQuery = listQuery('identity', {
  parentId: Type.Optional(id('Children of this identity.')),
  type: Type.Optional(Type.Enum([...identityTypes], { description: 'Person or organisation.' })),
  email: Type.Optional(Type.String({ maxLength: limits.emailLength, description: 'In any case of letters.' })),
  documentNumber: Type.Optional(
    Type.String({ maxLength: limits.documentNumberLength, description: 'With or without separators.' }),
  ),
  phone: Type.Optional(Type.String({ maxLength: 40, description: 'Country code and number.' })),
  country: Type.Optional(Type.String({ maxLength: 3, description: 'ISO 3166-1 alpha-3.' })),
  status: Type.Optional(commaListOf(identityStatuses, 'Statuses.')),
  externalId: Type.Optional(Type.String({ maxLength: limits.externalIdLength, description: 'Your reference.' })),
})
export type IdentityQuery = Type.Static<typeof IdentityQuery>

export const IdentityPage = Type.Object(
  { data: Type.Array(named(Identity)), pagination: named(Pagination) },
  { ...closed, $id: 'IdentityPage', title: 'IdentityPage' },
)

export const identitySchemas = [CreateIdentity, ChangeIdentity, Children, Identity, IdentityPage]

/** An identity as the wire shows it; what is not set is absent. */
export function toWire(identity: IdentityWithChildren): Type.Static<typeof Identity> {
  const { profile: kept, createdAt, updatedAt } = identity
  return {
    id: identity.id,
    ...(identity.parentId === null ? {} : { parentId: identity.parentId }),
    type: identity.type,
    name: identity.name,
    ...(identity.lastname === null ? {} : { lastname: identity.lastname }),
    ...(identity.nickname === null ? {} : { nickname: identity.nickname }),
    email: identity.email,
    phone: identity.phone,
    documentType: identity.documentType,
    documentNumber: identity.documentNumber,
    ...(identity.country === null ? {} : { country: identity.country }),
    ...(identity.externalId === null ? {} : { externalId: identity.externalId }),
    status: identity.status,
    children: [...identity.children],
    ...(kept as object),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
