/** An identity: a person or an organisation that owns accounts, links and sessions. Pure. */

export const identityTypes = ['USER', 'ORGANIZATION'] as const
export type IdentityType = (typeof identityTypes)[number]

/** Made ACTIVE: verification of persons is not done here; the other statuses are published and never given. */
export const identityStatuses = [
  'PENDING',
  'PENDING_EMAIL_VALIDATION',
  'PENDING_PHONE_VALIDATION',
  'SCREENING',
  'ACTIVE',
] as const
export type IdentityStatus = (typeof identityStatuses)[number]

/** What is kept and shown of an identity, and used by nothing here. */
export type Profile = {
  idv?: unknown
  securityOptions?: Record<string, unknown> | undefined
  bankAccount?: Record<string, unknown> | undefined
  address?: Record<string, unknown> | undefined
}

export type Child = { readonly id: string; readonly name: string; readonly email: string }

export type Identity = {
  readonly merchantId: number
  readonly id: string
  readonly parentId: string | null
  readonly type: IdentityType
  readonly name: string
  readonly lastname: string | null
  readonly nickname: string | null
  readonly email: string
  /** E.164. */
  readonly phone: string
  readonly documentType: string
  /** As it was given. */
  readonly documentNumber: string
  /** Without separators, in upper case. */
  readonly documentKey: string
  /** ISO 3166-1 alpha-3. */
  readonly country: string | null
  readonly externalId: string | null
  readonly status: IdentityStatus
  readonly profile: Profile
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An identity as read: with the first of its children, oldest first. */
export type IdentityWithChildren = Identity & { readonly children: readonly Child[] }

/** The whole name, as accounts show their holder. */
export function fullName(identity: Pick<Identity, 'name' | 'lastname'>): string {
  return identity.lastname ? `${identity.name} ${identity.lastname}` : identity.name
}
