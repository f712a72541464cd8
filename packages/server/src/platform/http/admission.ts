/** How many requests may be under way at once: as many as are answered in good time, learnt from how many are answered. */

export type Admission = {
  /** Admits a request and returns what to call at its end; undefined = it would be answered late. */
  enter(nowMs: number, share?: number): ((nowMs: number) => void) | undefined
  /** How many are admitted at once at this moment. */
  limit(): number
}

export type AdmissionOptions = {
  /** How long a request may take from its admission to its answer when all places are taken. */
  targetMs: number
  /** Places that there always are, however slow the answers; and places while nothing was ever refused. */
  least: number
  usual: number
}

const usualOptions: AdmissionOptions = { targetMs: 400, least: 64, usual: 256 }
/** What happened is counted in slices of the last second. */
const sliceMs = 100
const slices = 10
/** All under way together, also those that wait for somebody else: what memory is kept for. */
const underWayMax = 5_000

/**
 * Little's law: with as many under way as are answered in `targetMs`, each takes `targetMs`. The rate is measured while places
 * are short; when they are not, the usual number holds, since a rate that nobody tried says nothing.
 *
 * Only what was admitted within the last second takes a place. What is older waits for a provider that does not answer rather
 * than for us, and must not keep everybody else out.
 */
export function openAdmission({ targetMs, least, usual }: AdmissionOptions = usualOptions): Admission {
  const young = new Int32Array(slices)
  const answered = new Int32Array(slices)
  let slice = 0
  let youngSum = 0
  let answeredSum = 0
  let underWay = 0
  let limit = usual
  let refusedAt = Number.NEGATIVE_INFINITY

  /** Moves the window to `now`, slice by slice, and draws the conclusion of the second that has passed. */
  const move = (now: number) => {
    if (now === slice) return
    for (let next = Math.max(slice + 1, now - slices + 1); next <= now; next += 1) {
      youngSum -= young[next % slices] as number
      answeredSum -= answered[next % slices] as number
      young[next % slices] = 0
      answered[next % slices] = 0
    }
    slice = now
    const perMs = answeredSum / ((slices - 1) * sliceMs)
    const short = now - refusedAt <= slices
    // Half of the way at a time: one slow slice is not the end.
    limit = short ? Math.max(least, Math.round((limit + perMs * targetMs) / 2)) : Math.max(usual, limit)
  }
  return {
    limit: () => limit,
    enter(nowMs, share = 1) {
      move(Math.floor(nowMs / sliceMs))
      if (youngSum >= limit * share || underWay >= underWayMax) {
        refusedAt = slice
        return undefined
      }
      const mine = slice
      young[mine % slices] = (young[mine % slices] as number) + 1
      youngSum += 1
      underWay += 1
      return (endMs) => {
        move(Math.floor(endMs / sliceMs))
        underWay -= 1
        answered[slice % slices] = (answered[slice % slices] as number) + 1
        answeredSum += 1
        if (slice - mine >= slices) return
        young[mine % slices] = (young[mine % slices] as number) - 1
        youngSum -= 1
      }
    },
  }
}
