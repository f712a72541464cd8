/** The registry of pay-in rails: one line per rail, in the contract's order (section 4.4). */

import type { Rail } from '@pasarela/connector-kit'
import { account } from './account/rail.ts'
import { ach } from './ach/rail.ts'
import { bancolombia } from './bancolombia/rail.ts'
import { card } from './card/rail.ts'
import { crypto } from './crypto/rail.ts'
import { cvu } from './cvu/rail.ts'
import { daviplata } from './daviplata/rail.ts'
import { davivienda } from './davivienda/rail.ts'
import { etpay } from './etpay/rail.ts'
import { fednow } from './fednow/rail.ts'
import { fintoc } from './fintoc/rail.ts'
import { ligo } from './ligo/rail.ts'
import { nequi } from './nequi/rail.ts'
import { pct } from './pct/rail.ts'
import { pix } from './pix/rail.ts'
import { pse } from './pse/rail.ts'
import { rtp } from './rtp/rail.ts'
import { sip } from './sip/rail.ts'
import { spei } from './spei/rail.ts'
import { webpay } from './webpay/rail.ts'
import { wompi } from './wompi/rail.ts'

export const rails: readonly Rail[] = [
  card,
  crypto,
  account,
  pix,
  pct,
  cvu,
  etpay,
  fintoc,
  webpay,
  spei,
  pse,
  bancolombia,
  davivienda,
  daviplata,
  nequi,
  wompi,
  ligo,
  sip,
  ach,
  fednow,
  rtp,
]

const byType: ReadonlyMap<string, Rail> = new Map(rails.map((rail) => [rail.type, rail]))

/** All node types one can pay with, in the registry's order. */
export const railTypes: readonly string[] = rails.map((rail) => rail.type)

/** The rail of a node type such as `PIX`; undefined if we have none. */
export function railOf(type: string): Rail | undefined {
  return byType.get(type)
}
