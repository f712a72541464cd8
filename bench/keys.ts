/** Requests with an Idempotency-Key beside the same without: taken in turns, so that what changes on the machine meets both alike. */
import { type Figures, warmUpSeconds } from './measure.ts'
import { type Row, shown } from './scenario.ts'

export const turns = 3

/** Measures both sides `turns` times in turn and returns the means. Each side is warmed up for long before its first turn. */
export async function inTurns(
  measureSide: (isKeyed: boolean, warmUp: number) => Promise<Figures>,
): Promise<{ keyed: Figures; unkeyed: Figures }> {
  const keyed: Figures[] = []
  const unkeyed: Figures[] = []
  for (let n = 0; n < turns; n++) {
    const warmUp = n === 0 ? warmUpSeconds : 1
    keyed.push(await measureSide(true, warmUp))
    unkeyed.push(await measureSide(false, warmUp))
  }
  return { keyed: mean(keyed), unkeyed: mean(unkeyed) }
}

function mean(all: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number) => all.reduce((sum, one) => sum + pick(one), 0) / all.length
  return {
    perSecond: of((one) => one.perSecond),
    p50Ms: of((one) => one.p50Ms),
    p99Ms: of((one) => one.p99Ms),
    count: all.reduce((sum, { count }) => sum + count, 0),
  }
}

export function compareKeys(what: 'creates' | 'flows', keyed: Figures, unkeyed: Figures): Row {
  const ratio = keyed.perSecond / unkeyed.perSecond
  return {
    what: `${what} with an Idempotency-Key`,
    figure: shown(keyed.perSecond, '/s'),
    yardstick: 'the same without',
    its: shown(unkeyed.perSecond, '/s'),
    ratio,
    target: '>= 0.85',
    met: ratio >= 0.85,
  }
}
