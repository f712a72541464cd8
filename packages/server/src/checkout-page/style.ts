/** The style sheet of a brand's pages: one text, inside the page, allowed by its hash alone. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { LRUCache } from 'lru-cache'
import type { BrandSettings } from '../brands/brand.ts'
import { type Html, ours } from './html.ts'
import { themeCss } from './theme.ts'

/** The sheet without comments and the white space that only people need. */
const sheet = readFileSync(new URL('./style.css', import.meta.url), 'utf8')
  .replace(/\/\*[\s\S]*?(?:\*\/|$)/g, '')
  .replace(/\n\s*/g, '')
  .replace(/ ?([{};,>]) ?/g, '$1')
  .replace(/:\s+/g, ':')
  .replace(/;\}/g, '}')

export type Style = { readonly element: Html; readonly hash: string }

const made = new LRUCache<string, Style>({ max: 500 })

/** The style element and the CSP source that allows it. Brands' texts passed the API's narrow patterns. */
export function styleOf(settings: BrandSettings): Style {
  const theme = themeCss(settings)
  const known = made.get(theme)
  if (known) return known
  const css = theme + sheet
  const hash = createHash('sha256').update(css).digest('base64')
  const style = { element: ours(`<style>${css}</style>`), hash: `'sha256-${hash}'` }
  made.set(theme, style)
  return style
}
