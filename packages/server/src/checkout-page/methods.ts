/** The methods a payer may choose: those that can be used, the usual ones of the payer's country first. */

import type { Currency, Flow, Rail } from '@pasarela/connector-kit'
import type { Quote, QuotedMethod } from '../quotes/quote.ts'
import { railOf } from '../rails/index.ts'
import { countryOf } from './format.ts'
import type { WordKey, Words } from './words.ts'

export type Method = {
  /** `PIX-BRL`: what the form sends. */
  readonly key: string
  readonly rail: Rail
  readonly quoted: QuotedMethod
  /** Whether the payer pays in another currency than the order's, so that a quote can die. */
  readonly converts: boolean
}

/** What people of a country reach for first. What is not listed follows in the registry's order. */
const usual: Readonly<Record<string, readonly string[]>> = {
  ARG: ['PCT', 'CVU', 'CARD'],
  BOL: ['SIP', 'CARD'],
  BRA: ['PIX', 'CARD'],
  CHL: ['WEBPAY', 'ETPAY', 'FINTOC', 'CARD'],
  COL: ['PSE', 'NEQUI', 'BANCOLOMBIA', 'DAVIPLATA', 'DAVIVIENDA', 'WOMPI', 'CARD'],
  MEX: ['SPEI', 'CARD'],
  PER: ['LIGO', 'SIP', 'CARD'],
  USA: ['CARD', 'ACH', 'RTP', 'FEDNOW'],
}

/** The usable methods of a quote. `guess` is the payer's country if the browser hints at one, else the order's currency decides. */
export function methodsOf(quote: Quote, currency: Currency, guess: string | undefined): Method[] {
  const usable = quote.methods.flatMap((quoted) => {
    const rail = railOf(quoted.type)
    if (!quoted.enabled || !rail) return []
    return [{ key: `${quoted.type}-${quoted.currency}`, rail, quoted, converts: quoted.currency !== currency }]
  })
  const home = countryOf(currency)
  return usable
    .map((method, index) => ({ method, rank: rankOf(method.rail, guess, home) * 1000 + index }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ method }) => method)
}

/** The guessed country speaks for its own rails; what is used anywhere, such as cards, has its place by the order's country. */
function rankOf(rail: Rail, guess: string | undefined, home: string | undefined): number {
  const place = (country: string | undefined) => usual[country ?? '']?.indexOf(rail.type) ?? -1
  const guessed = guess !== undefined && rail.countries.includes(guess) ? place(guess) : -1
  if (guessed >= 0) return guessed
  const atHome = place(home)
  return atHome >= 0 ? 50 + atHome : 200
}

/** What the page calls a rail: its own name, or a word of the language where the name is no name. */
export function methodName(rail: Rail, words: Words): string {
  return words[`method${rail.type}` as WordKey] ?? rail.name
}

const hints: Readonly<Record<Flow, WordKey>> = {
  qr: 'hintQr',
  transfer: 'hintTransfer',
  redirect: 'hintRedirect',
  card: 'hintCard',
  wallet: 'hintWallet',
}

export function methodHint(rail: Rail, words: Words): string {
  return rail.type === 'CRYPTO' ? words.hintCrypto : words[hints[rail.flow]]
}
