/** Amounts, rates, dates and spans of time as people write them. */

import { type Currency, currencies } from '@pasarela/connector-kit'
import { LRUCache } from 'lru-cache'
import type { Language } from './words.ts'

type Home = { readonly country: string; readonly locale: string }

/** Where a currency is at home (ISO 3166-1 alpha-3) and how that country writes its amounts, whatever language the page is in. */
const homes: Readonly<Partial<Record<Currency, Home>>> = {
  CLP: { country: 'CHL', locale: 'es-CL' },
  MXN: { country: 'MEX', locale: 'es-MX' },
  COP: { country: 'COL', locale: 'es-CO' },
  PEN: { country: 'PER', locale: 'es-PE' },
  BOB: { country: 'BOL', locale: 'es-BO' },
  PYG: { country: 'PRY', locale: 'es-PY' },
  ARS: { country: 'ARG', locale: 'es-AR' },
  BRL: { country: 'BRA', locale: 'pt-BR' },
  USD: { country: 'USA', locale: 'en-US' },
  AUD: { country: 'AUS', locale: 'en-AU' },
  CAD: { country: 'CAN', locale: 'en-CA' },
  GBP: { country: 'GBR', locale: 'en-GB' },
}

/** Currencies whose sign says only "dollars or pesos": their code is always written too. */
const ambiguous: ReadonlySet<string> = new Set(['CLP', 'MXN', 'COP', 'ARS', 'USD', 'AUD', 'CAD'])

/** The country a currency is at home in, if it is one country's. */
export function countryOf(currency: Currency): string | undefined {
  return homes[currency]?.country
}

/** As many as the tables of currencies and locales make. */
const numberFormats = new Map<string, Intl.NumberFormat>()

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options)
  let format = numberFormats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale, options)
    numberFormats.set(key, format)
  }
  return format
}

/** An exact decimal text for Intl, which formats such text without going through a float. */
type Exact = Intl.StringNumericLiteral

/** As money, without the code: where a total beside it has said which currency it is. */
export function bareMoney(amount: string, currency: Currency): string {
  return money(amount, currency).replace(/ [A-Z]{3}$/, '')
}

/** `"1190"` CLP → `$1.190 CLP`, `"19.90"` BRL → `R$ 19,90`. `amount` is a canonical decimal string. */
export function money(amount: string, currency: Currency): string {
  const locale = homes[currency]?.locale ?? 'es'
  const decimals = currencies[currency]
  // Colombia has centavos on paper only: they are shown where there are some.
  const shown = currency === 'COP' && !/\.\d*[1-9]/.test(amount) ? 0 : decimals
  if (currency.length > 3) {
    const format = numberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: decimals })
    return `${format.format(amount as Exact)} ${currency}`
  }
  const style = { style: 'currency', currency, minimumFractionDigits: shown, maximumFractionDigits: shown } as const
  const text = numberFormat(locale, style).format(amount as Exact)
  return ambiguous.has(currency) ? `${text} ${currency}` : text
}

/** `1 BRL = 170,5 CLP`, in the way of the country of `currency`. */
export function rateText(rate: string, purchaseCurrency: Currency, currency: Currency): string {
  const format = numberFormat(homes[currency]?.locale ?? 'es', { maximumFractionDigits: 12 })
  return `1 ${purchaseCurrency} = ${format.format(rate as Exact)} ${currency}`
}

/** By locale and time zone. A format takes many kilobytes, and there are thousands of pairs. */
const dateFormats = new LRUCache<string, Intl.DateTimeFormat>({ max: 100 })

/** A moment in the merchant's time zone, in the page's language and the country's way. */
export function moment(at: Date, language: Language, currency: Currency, timeZone: string): string {
  const locale = homes[currency]?.locale.startsWith(language) ? (homes[currency]?.locale ?? language) : language
  const key = `${locale} ${timeZone}`
  let format = dateFormats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone })
    dateFormats.set(key, format)
  }
  return format.format(at)
}

/** What is left as `59:59`, `3:59:59` or `2 d 3 h`: the same text that the script counts down. */
export function timeLeft(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const [days, hours] = [Math.floor(left / 86_400), Math.floor((left % 86_400) / 3600)]
  if (days > 0) return `${days} d ${hours} h`
  const rest = `${two(Math.floor((left % 3600) / 60))}:${two(left % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}
