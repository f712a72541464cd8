/** Calendar days in a time zone: `dd/mm/yyyy` as list filters write them, and the instants where they begin. */
import { LRUCache } from 'lru-cache'

type Day = Temporal.PlainDate

const epoch = Temporal.PlainDate.from('1970-01-01')

const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'

/** Days that exist, for schemas: `parseDay` reads exactly these. */
export const dayPattern =
  '^(?:(?:(?:0[1-9]|1\\d|2[0-8])/(?:0[1-9]|1[0-2])|(?:29|30)/(?:0[13-9]|1[0-2])|31/(?:0[13578]|1[02]))/\\d{4}' +
  `|29/02/${leapYear})$`

/** Reads `dd/mm/yyyy`; undefined for another shape or a day that no calendar has (31/02/2025). */
export function parseDay(text: string): Day | undefined {
  const match = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text)
  if (!match) return undefined
  const [day, month, year] = [Number(match[1]), Number(match[2]), Number(match[3])]
  try {
    return Temporal.PlainDate.from({ year, month, day }, { overflow: 'reject' })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The day as list filters write it. */
export function dayText(day: Day): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(day.day)}/${two(day.month)}/${String(day.year).padStart(4, '0')}`
}

/** Days since 1970-01-01: a day as one number. */
export function dayNumber(day: Day): number {
  return day.since(epoch).days
}

/** The day of this number. */
export function dayOfNumber(number: number): Day {
  return epoch.add({ days: number })
}

/** The day after. */
export function nextDay(day: Day): Day {
  return day.add({ days: 1 })
}

/** The first millisecond of the day in the zone (an IANA name). Not always midnight: Santiago skips one a year. */
export function dayStartMs(day: Day, timeZone: string): number {
  return day.toZonedDateTime(timeZone).epochMilliseconds
}

/** The number of the zone's calendar day at this instant. */
export function dayNumberAt(timeMs: number, timeZone: string): number {
  const known = lastDays.get(timeZone)
  if (known && timeMs >= known.fromMs && timeMs < known.beforeMs) return known.number
  const day = Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const found = {
    number: dayNumber(day),
    fromMs: dayStartMs(day, timeZone),
    beforeMs: dayStartMs(nextDay(day), timeZone),
  }
  lastDays.set(timeZone, found)
  return found.number
}

/** The day that was asked for last, by zone: nearly always today, and every create asks. */
const lastDays = new LRUCache<string, { number: number; fromMs: number; beforeMs: number }>({ max: 100 })
