/** The languages of the page: which there are, how one is chosen, and how sentences are filled in. */
import { en } from './words.en.ts'
import { es, type WordKey, type Words } from './words.es.ts'
import { pt } from './words.pt.ts'

export type { WordKey, Words }

export const languages = { es, pt, en } as const satisfies Record<string, Words>
export type Language = keyof typeof languages
export const languageCodes = Object.keys(languages) as Language[]

export function isLanguage(text: unknown): text is Language {
  return typeof text === 'string' && Object.hasOwn(languages, text)
}

/** The first tags of an `Accept-Language`, by its weights, at most ten. */
function tagsOf(header: string): string[] {
  const tags = header
    .slice(0, 200)
    .split(',')
    .slice(0, 10)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const weight = parameters.map((p) => /^\s*q=([\d.]{1,5})/.exec(p)?.[1]).find((q) => q !== undefined)
      return { tag: tag.trim().toLowerCase(), weight: weight === undefined ? 1 : Number(weight) || 0 }
    })
  return tags
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}

/** The language that the browser asks for; Spanish when it asks for none of ours. */
export function languageOf(acceptLanguage: string | undefined): Language {
  for (const tag of tagsOf(acceptLanguage ?? '')) {
    const code = tag.split('-')[0]
    if (isLanguage(code)) return code
  }
  return 'es'
}

const regions: Readonly<Record<string, string>> = {
  ar: 'ARG',
  bo: 'BOL',
  br: 'BRA',
  cl: 'CHL',
  co: 'COL',
  mx: 'MEX',
  pe: 'PER',
  py: 'PRY',
  us: 'USA',
}

/** The country (alpha-3) that the browser's language names first, such as `pt-BR`; a guess, used for an order only. */
export function countryGuess(acceptLanguage: string | undefined): string | undefined {
  for (const tag of tagsOf(acceptLanguage ?? '')) {
    const country = regions[tag.split('-').at(-1) ?? '']
    if (country && tag.includes('-')) return country
    if (tag === 'pt') return 'BRA'
  }
  return undefined
}

/** Fills `{name}` in a sentence. The result is text: the template escapes it. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
