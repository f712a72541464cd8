/** Calendar days in a time zone: `dd/mm/yyyy` as list filters write them, and the instants where they begin. */

export type Day = { readonly year: number; readonly month: number; readonly day: number }

const dayMs = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** Reads `dd/mm/yyyy`; undefined for another shape or a day that no calendar has (31/02/2025). */
export function parseDay(text: string): Day | undefined {
  const match = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text)
  if (!match) return undefined
  const [day, month, year] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(utcMidnight({ year, month, day }))
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? { year, month, day } : undefined
}

/** Days since 1970-01-01: a day as one number. */
export function dayNumber(day: Day): number {
  return utcMidnight(day) / dayMs
}

/** The number of the zone's calendar day at this instant. */
export function dayNumberAt(timeMs: number, timeZone: string): number {
  const known = lastDays.get(timeZone)
  if (known && timeMs >= known.fromMs && timeMs < known.beforeMs) return known.number
  const number = localMidnight(timeMs, timeZone) / dayMs
  const day = dayOfNumber(number)
  const found = {
    number,
    fromMs: dayStartMs(day, timeZone),
    beforeMs: dayStartMs(nextDay(day), timeZone),
  }
  lastDays.set(timeZone, found)
  return found.number
}

/** The day that was asked for last, by zone: it is nearly always today. */
const lastDays = new Map<string, { number: number; fromMs: number; beforeMs: number }>()

/** The day of this number. */
export function dayOfNumber(number: number): Day {
  const date = new Date(number * dayMs)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

/** The day after. */
export function nextDay(day: Day): Day {
  return dayOfNumber(dayNumber(day) + 1)
}

/**
 * The first millisecond that belongs to the day, or to a later one, in the zone (an IANA name). Searched, not computed
 * from an offset: Santiago puts its clocks forward at midnight, so one day a year begins at 01:00.
 */
export function dayStartMs(day: Day, timeZone: string): number {
  const wanted = utcMidnight(day)
  // Zones are at most 14 hours ahead of UTC and 12 behind.
  let before = Math.floor(wanted / 1000) - 15 * 3600
  let atOrAfter = before + 28 * 3600
  while (atOrAfter - before > 1) {
    const middle = Math.floor((before + atOrAfter) / 2)
    if (localMidnight(middle * 1000, timeZone) >= wanted) atOrAfter = middle
    else before = middle
  }
  return atOrAfter * 1000
}

function utcMidnight({ year, month, day }: Day): number {
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day)
}

/** The zone's calendar day at this instant, as the UTC midnight of the same date: a number to compare with. */
function localMidnight(timeMs: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(timeMs)
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value)
  return utcMidnight({ year: part('year'), month: part('month'), day: part('day') })
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    })
    formats.set(timeZone, format)
  }
  return format
}
