/** What a payment method IS: data that everything else (schemas, discovery, quotes, the page, the sandbox) is derived from. */
import type { TObject } from 'typebox'
import type { Currency } from './currencies.ts'

/** How the payer pays: scan or paste a code, transfer to an account, go to a bank's page, a card token, or confirm in an app. */
export type Flow = 'qr' | 'transfer' | 'redirect' | 'card' | 'wallet'

/** Precision and bounds of one currency on one rail. All in minor units of that currency. */
export type RailCurrency = {
  /** Amounts on this rail are multiples of this (COP has two decimals, but most rails take whole pesos: 100n). */
  readonly stepMinor: bigint
  readonly minMinor: bigint
  readonly maxMinor: bigint
}

export type Rail = {
  /** The node type of the contract (section 4.4), e.g. `PIX`. */
  readonly type: string
  /** The key of the rail object in a node, e.g. `pix`, `fedNow`. */
  readonly key: string
  /** What people call it, e.g. `Pix`. */
  readonly name: string
  /** ISO 3166-1 alpha-3 countries where payers use it; empty = anywhere. */
  readonly countries: readonly string[]
  readonly currencies: Readonly<Partial<Record<Currency, RailCurrency>>>
  readonly flow: Flow
  /** What a submitted rail object must hold once the session's customer is merged in: paths below `key`, e.g. `customer.email`, `bankId`. */
  readonly required: readonly string[]
  /** Other published places of a required field: `accountNumber` may also come as `bank.accountNumber`. */
  readonly aliases?: Readonly<Record<string, string>>
  /** The country whose list of banks a `bankId` must be in. */
  readonly banksOf?: string
  /** The rail object on the wire: every published input and output field, all optional, nothing else allowed. */
  readonly fields: TObject
  /** Document types the rail's payers may have, the usual one first; empty = any known type. */
  readonly documentTypes: readonly string[]
  /** How long the payer has before the provider stops waiting. */
  readonly expiresAfterMs: number
  /** When the session counts as paid. */
  readonly paidOn: 'CAPTURED' | 'RECEIVED'
  /** `automatic`: the provider captures by itself; `manual`: an authorised payment may wait for `captured`. */
  readonly capture: 'automatic' | 'manual'
  /** Who can end an open payment: the provider by its explicit word, or we at once while its reference stays watched. */
  readonly cancel: 'provider' | 'local'
  /** How long after its end a reference is still asked about: money that comes then is late money. */
  readonly watchedForMs: number
  /** When the merchant has the money, as the contract's free text, e.g. `T+1`. */
  readonly settlement: string
}
