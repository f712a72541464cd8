/** Changes a merchant's time zone: its sessions move to the days of the new zone, and their counters with them, while all goes on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setTimeZone } from '../access/manage-clients.ts'
import { dayNumberAt, dayOfNumber, dayStartMs } from '../kit/day.ts'
import { type Sql, transaction } from '../kit/db.ts'
import { idFloor, idTimeMs } from '../kit/id.ts'
import { limits } from '../vocabulary/limits.ts'
import { findIdRange, moveToDay, waitForSessionWriters } from './counts-store.ts'

const slice = 2000

export type ZoneChange = {
  merchantId: number
  timeZone: string
  /** How long other processes may go on with the zone before. */
  settleMs?: number
}

/**
 * Sets the zone and returns how many sessions changed their day. Each slice moves rows and counters in one statement, so
 * counters are exact at every moment; until it ends, totals by day are between the two zones. Running it again finishes what
 * was interrupted. Throws `notFound`, or `invalidParam` for a zone that there is not.
 */
export async function changeTimeZone(sql: Sql, change: ZoneChange): Promise<number> {
  const { merchantId, timeZone, settleMs = limits.clientCacheMs + 1000 } = change
  await setTimeZone(sql, merchantId, timeZone)
  // Whoever remembers the merchant still writes days of the zone before, and so may a transaction that is open.
  await sleep(settleMs)
  await transaction(sql, waitForSessionWriters)
  const range = await findIdRange(sql, merchantId)
  if (!range) return 0
  let moved = 0
  const last = dayNumberAt(idTimeMs(range.last), timeZone)
  for (let day = dayNumberAt(idTimeMs(range.first), timeZone); day <= last; day++) {
    const [fromId, beforeId] = [day, day + 1].map((number) =>
      idFloor('checkoutSession', dayStartMs(dayOfNumber(number), timeZone)),
    ) as [string, string]
    for (let found = slice; found === slice; moved += found)
      found = await moveToDay(sql, { merchantId, day, fromId, beforeId, most: slice })
  }
  return moved
}
