/** A brand as style sheet variables, in daylight and in the dark: only values that were checked go in. */
import { type BrandSettings, paletteOf } from '../brands/brand.ts'
import { inkOn, mix, movedUntil } from '../brands/colors.ts'

const night = { bg: '#0f1215', surface: '#171b1f', text: '#eef0f2', muted: '#a7b0b9', border: '#2a3036' } as const

const radii = { none: '0', sm: '4px', md: '10px', lg: '16px', pill: '24px' } as const
const sizes = { compact: '15px', default: '16px', relaxed: '18px' } as const
const widths = { thin: '1px', default: '1px', thick: '2px' } as const
const system = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'

type Colors = {
  bg: string
  surface: string
  text: string
  muted: string
  border: string
  primary: string
  accent: string
}

/** The variables of a brand. Dark neutrals are ours; primary and accent are lightened until they can be seen on them. */
export function themeCss(settings: BrandSettings): string {
  const palette = paletteOf(settings)
  const day: Colors = {
    bg: palette.backgroundColor,
    surface: palette.surfaceColor,
    text: palette.textColor,
    muted: palette.mutedColor,
    border: palette.borderColor,
    primary: palette.primaryColor,
    accent: movedUntil(palette.accentColor, palette.textColor, 4.5, [palette.surfaceColor, palette.backgroundColor]),
  }
  const dark: Colors = {
    ...night,
    primary: movedUntil(palette.primaryColor, '#ffffff', 4.5, [night.surface, night.bg]),
    accent: movedUntil(palette.accentColor, '#ffffff', 5.5, [night.surface, night.bg]),
  }
  const root = `--r:${radii[settings.borderRadius ?? 'md']};--bw:${widths[settings.borderWidth ?? 'default']};--fs:${sizes[settings.baseFontSize ?? 'default']};--ff:${fonts(settings.fontFamily)};--hf:${fonts(settings.headingFontFamily ?? settings.fontFamily)};`
  return `:root{${root}${variables(day)}}@media(prefers-color-scheme:dark){:root{${variables(dark)}}}`
}

function variables(colors: Colors): string {
  const all = {
    ...colors,
    onprimary: inkOn(colors.primary),
    // The edge of a field is part of a control: 3:1 (WCAG 1.4.11).
    field: movedUntil(mix(colors.text, colors.surface, 0.55), colors.text, 3.1, [colors.surface, colors.bg]),
    soft: mix(colors.surface, colors.text, 0.04),
    danger: movedUntil('#b42318', colors.text, 4.5, [colors.surface, colors.bg]),
    good: movedUntil('#18794e', colors.text, 4.5, [colors.surface, colors.bg]),
  }
  return Object.entries(all)
    .map(([name, value]) => `--${name}:${value};`)
    .join('')
}

/** Family names of the API's narrow alphabet, quoted, before the system's own. */
function fonts(families: string | undefined): string {
  const named = (families ?? '')
    .split(',')
    .map((family) => family.replace(/[^A-Za-z0-9 -]/g, '').trim())
    .filter((family) => family !== '')
  return [...named.map((family) => `"${family}"`), system].join(',')
}
