/** The brand on the wire (contract section 10.8). */
import Type, { type Static } from 'typebox'
import { named } from '../kit/operation.ts'
import { limits } from '../vocabulary/limits.ts'
import { type Brand, type BrandSettings, daylight } from './brand.ts'

const closed = { additionalProperties: false }
const name = (description: string) => Type.String({ minLength: 1, maxLength: limits.nameLength, description })
const color = (description: string) =>
  Type.String({ pattern: '^#[0-9A-Fa-f]{6}$', 'x-wants': 'a colour as #RRGGBB', description })
const font = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9 ,-]{0,79}$',
    'x-wants': 'names of fonts that devices have: letters, digits, blanks, commas and dashes',
    description,
  })

const settings = {
  displayName: name('What payers read. Default: the name of the identity.'),
  clientName: name('The legal name, on receipts. Default: the display name.'),
  productName: name('A product of yours; not shown.'),
  partnerName: name('A partner of yours; not shown.'),
  primaryColor: color('Buttons. Stands 3:1 from surface and background.'),
  backgroundColor: color('Behind everything.'),
  surfaceColor: color('Cards and fields.'),
  textColor: color('Text; stands 4.5:1 from surface and background.'),
  accentColor: color('Links; stands 4.5:1 from surface and background. Default: the primary colour.'),
  borderColor: color('Lines between things.'),
  mutedColor: color('Lesser text; stands 4.5:1 from surface and background.'),
  fontFamily: font('Nothing is loaded: a font that the device lacks is its own system font.'),
  headingFontFamily: font('The same, for headings.'),
  baseFontSize: Type.Enum(['compact', 'default', 'relaxed']),
  borderRadius: Type.Enum(['none', 'sm', 'md', 'lg', 'pill']),
  borderWidth: Type.Enum(['thin', 'default', 'thick']),
  contactEmail: Type.String({ format: 'email', maxLength: limits.emailLength, description: 'Ours: for payers.' }),
  contactPhone: Type.String({
    pattern: '^\\+[0-9 ()-]{6,24}$',
    'x-wants': 'a phone number that begins with +',
    description: 'Ours: for payers.',
  }),
  contactUrl: Type.String({
    pattern: '^https://[^\\s]+$',
    maxLength: limits.urlLength,
    'x-wants': 'an https URL',
    description: 'Ours: a help page for payers.',
  }),
} as const

const nullable = Object.fromEntries(
  Object.entries(settings).map(([key, schema]) => [key, Type.Optional(Type.Union([schema, Type.Null()]))]),
)

/** A change: what is given is set, null goes back to the default, the rest stays. */
export const ChangeBrand = Type.Unsafe<{ [K in keyof BrandSettings]?: BrandSettings[K] | null }>(
  Type.Object(nullable, {
    ...closed,
    $id: 'ChangeBrand',
    title: 'ChangeBrand',
    description: 'null goes back to the default.',
  }),
)

const optional = Object.fromEntries(
  Object.entries(settings)
    .filter(([key]) => !['displayName', 'clientName', 'primaryColor'].includes(key))
    .map(([key, schema]) => [key, Type.Optional(schema)]),
)

export const BrandSchema = Type.Object(
  {
    displayName: settings.displayName,
    clientName: settings.clientName,
    primaryColor: settings.primaryColor,
    updatedAt: Type.String({ format: 'date-time' }),
    logoUrl: Type.Optional(Type.String({ description: 'Where the logo is served; set by PUT …/brand/logo.' })),
    ...optional,
  },
  { ...closed, $id: 'Brand', title: 'Brand' },
)

export const BrandAnswer = Type.Object(
  { brand: Type.Union([named(BrandSchema), Type.Null()], { description: 'null: it has none of its own.' }) },
  { ...closed, $id: 'BrandAnswer', title: 'BrandAnswer' },
)

/** 12 KB of image are 16 KB of base64. */
export const PutLogo = Type.Object(
  {
    contentType: Type.Enum(['image/png', 'image/jpeg', 'image/webp']),
    data: Type.String({ minLength: 4, maxLength: 16_384, description: 'The file in base64; at most 12 KB.' }),
  },
  { ...closed, $id: 'PutLogo', title: 'PutLogo' },
)
export type LogoBody = Static<typeof PutLogo>

export const brandSchemas = [BrandSchema, BrandAnswer, ChangeBrand, PutLogo]

/** `fallbackName` is the name of the identity, or of the merchant for its default brand. */
export function toWire(brand: Brand, fallbackName: string, publicUrl: string) {
  const { displayName = fallbackName, clientName = displayName, primaryColor = daylight.primaryColor } = brand.settings
  return {
    ...brand.settings,
    displayName,
    clientName,
    primaryColor,
    ...(brand.logoHash ? { logoUrl: publicUrl + logoPath(brand.merchantId, brand.logoHash) } : {}),
    updatedAt: brand.updatedAt.toISOString(),
  } as Static<typeof BrandSchema>
}

/** The address of a logo: its content is in its name, so it may be kept for ever. */
export function logoPath(merchantId: number, hash: string): string {
  return `/brand-logos/${merchantId.toString(36)}-${hash}`
}
