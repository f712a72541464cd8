/** The brand: name, logo, colours and contact of whoever the payer pays. Its defaults, and what may not be chosen. Pure. */
import type { Faults } from '../kit/problem.ts'
import { contrast } from './colors.ts'

/** What the API takes (contract section 10.8; the three contacts are ours). Absent = the default. */
export type BrandSettings = {
  displayName?: string
  clientName?: string
  productName?: string
  partnerName?: string
  primaryColor?: string
  backgroundColor?: string
  surfaceColor?: string
  textColor?: string
  accentColor?: string
  borderColor?: string
  mutedColor?: string
  fontFamily?: string
  headingFontFamily?: string
  baseFontSize?: 'compact' | 'default' | 'relaxed'
  borderRadius?: 'none' | 'sm' | 'md' | 'lg' | 'pill'
  borderWidth?: 'thin' | 'default' | 'thick'
  contactEmail?: string
  contactPhone?: string
  contactUrl?: string
}

/** The organization id that stands for all pages of a merchant without a nearer brand. */
export const defaultOrganization = 'default'

export type Brand = {
  merchantId: number
  organizationId: string
  settings: BrandSettings
  logoHash: string | null
  updatedAt: Date
}

/** Colours of a page in daylight where a brand says nothing else. */
export const daylight = {
  primaryColor: '#0f5c4d',
  backgroundColor: '#f4f5f6',
  surfaceColor: '#ffffff',
  textColor: '#15191e',
  mutedColor: '#59626c',
  borderColor: '#dde1e5',
} as const

export type Palette = { readonly [K in keyof typeof daylight | 'accentColor']: string }

/** The colours of a brand, whole: what it leaves out is ours, and its accent is its primary colour. */
export function paletteOf(settings: BrandSettings): Palette {
  const palette = { ...daylight, ...definedColors(settings) }
  return { ...palette, accentColor: settings.accentColor ?? palette.primaryColor }
}

function definedColors(settings: BrandSettings): Partial<Record<keyof typeof daylight, string>> {
  const names = Object.keys(daylight) as (keyof typeof daylight)[]
  return Object.fromEntries(names.flatMap((name) => (settings[name] ? [[name, settings[name]]] : [])))
}

/** WCAG 2.2 AA: text 4.5 (1.4.3), parts of controls 3 (1.4.11). The border is decoration: controls have one of their own. */
const pairs: readonly [front: keyof Palette, back: 'backgroundColor' | 'surfaceColor', ratio: number][] = [
  ['textColor', 'surfaceColor', 4.5],
  ['textColor', 'backgroundColor', 4.5],
  ['mutedColor', 'surfaceColor', 4.5],
  ['mutedColor', 'backgroundColor', 4.5],
  ['accentColor', 'surfaceColor', 4.5],
  ['accentColor', 'backgroundColor', 4.5],
  ['primaryColor', 'surfaceColor', 3],
  ['primaryColor', 'backgroundColor', 3],
]

/**
 * Adds to `faults` every colour that people could not read, at the colour that was chosen. An accent that was not chosen is
 * the primary colour, and is darkened by the page where it is text.
 */
export function checkContrast(settings: BrandSettings, faults: Faults): void {
  const palette = paletteOf(settings)
  for (const [front, back, ratio] of pairs) {
    if (front === 'accentColor' && settings.accentColor === undefined) continue
    const has = contrast(palette[front], palette[back])
    if (has >= ratio) continue
    const at = settings[front] === undefined ? back : front
    const shown = Math.floor(has * 10) / 10
    faults.add(
      `/${at}`,
      `gives ${front} ${palette[front]} on ${back} ${palette[back]} a contrast of ${shown}:1; it needs ${ratio}:1`,
    )
  }
}
