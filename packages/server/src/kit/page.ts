/** Lists: the shared query parameters, what they mean in SQL, and the pagination block (design: section 4 rule 12). */
import Type, { type TProperties, type TSchema } from 'typebox'
import { type IdKind, idPrefixes } from '../vocabulary/ids.ts'
import { limits } from '../vocabulary/limits.ts'
import { dayNumber, dayPattern, dayStartMs, nextDay, parseDay } from './day.ts'
import type { Executor } from './db.ts'
import { idFloor, idPattern } from './id.ts'
import { named } from './operation.ts'
import { Faults } from './problem.ts'

/** What a list of this noun can be sorted by: wire name → column. `createdAt` is always the id, which is made from it. */
export type SortColumns = Readonly<Record<string, string>>

export const sortByCreation: SortColumns = { createdAt: 'id' }

export type PageQuery = {
  limit?: number
  offset?: number
  /** Older name of `offset`: the published lists of identities, accounts, rules and links page by `next`. */
  next?: number
  sort?: string
  startDate?: string
  endDate?: string
  after?: string
}

export type Page = {
  readonly limit: number
  readonly offset: number
  /** Column to sort by, from the noun's own table of sorts; ties are broken by id. */
  readonly column: string
  readonly direction: 'asc' | 'desc'
  /** Ids from this one on: the start of the first day asked for. */
  readonly fromId: string | undefined
  /** Ids before this one: the end of the last day asked for. */
  readonly beforeId: string | undefined
  /** The same two days as numbers, both within: what counters are kept by. */
  readonly fromDay: number | undefined
  readonly untilDay: number | undefined
  /** Only what follows this id in the order of the list. */
  readonly after: string | undefined
}

const Day = (description: string) =>
  Type.String({
    description,
    pattern: dayPattern,
    'x-wants': 'a day that exists, as dd/mm/yyyy',
    example: '01/04/2025',
  })

/** The query schema of a list: the filters of the noun and the parameters every list has. Closed. */
export function listQuery<F extends TProperties>(kind: IdKind, filters: F, sorts: SortColumns = sortByCreation) {
  const orders = Object.keys(sorts).flatMap((name) => [`${name}:desc`, `${name}:asc`])
  return Type.Object(
    {
      ...filters,
      startDate: Type.Optional(Day("Created on this day or later, in the merchant's time zone.")),
      endDate: Type.Optional(Day("Created on this day or earlier, in the merchant's time zone.")),
      sort: Type.Optional(
        Type.Enum(orders, { description: 'Default `createdAt:desc`. Ties are in the order of ids.' }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: limits.pageSizeMax,
          description: `Most results to answer. Default ${limits.pageSizeDefault}.`,
        }),
      ),
      offset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: limits.offsetMax,
          description: 'How many results to skip: `pagination.next` of the page before.',
        }),
      ),
      next: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: limits.offsetMax,
          description: 'The same as `offset`; the greater one counts.',
        }),
      ),
      after: Type.Optional(
        Type.String({
          pattern: idPattern(kind),
          'x-wants': `an id such as ${idPrefixes[kind]}_…`,
          description:
            'Only results that follow this id: the fast way through long lists. Needs the order `createdAt`, and no `offset`.',
        }),
      ),
    },
    { additionalProperties: false },
  )
}

/** Several values separated by commas, each one of `values`. */
export function commaListOf(
  values: readonly string[],
  description: string,
  wants = `a comma-separated list of ${values.join(', ')}`,
) {
  const one = `(${values.join('|').replace(/[.*]/g, '\\$&')})`
  return Type.String({
    description,
    pattern: `^${one}(, ?${one})*$`,
    'x-wants': wants,
  })
}

/** Several values that hold no commas themselves, for example ids, separated by commas; one that does not exist matches nothing. */
export function commaList(description: string) {
  return Type.String({ description, minLength: 1, maxLength: 4000 })
}

/** One value of the merchant's own making, such as a reference: it may hold commas and spaces, so it is never split. */
export function oneValue(maxLength: number, description: string) {
  return Type.String({ description: `${description} One value, taken literally.`, minLength: 1, maxLength })
}

/** The values of a comma list; undefined (no filter) stays undefined. */
export function readCommaList(text: string | undefined): string[] | undefined {
  return text?.split(',').map((part) => part.trim())
}

/** What a query that passed its schema means. Throws `invalidParam` for an `after` that does not go with the order or the offset. */
export function readPage(query: PageQuery, kind: IdKind, timeZone: string, sorts: SortColumns = sortByCreation): Page {
  const faults = new Faults()
  const [name = 'createdAt', direction = 'desc'] = query.sort?.split(':') ?? []
  const offset = Math.max(query.offset ?? 0, query.next ?? 0)
  if (query.after !== undefined) {
    if (name !== 'createdAt') faults.add('/query/after', 'needs the order createdAt')
    if (offset > 0) faults.add('/query/after', 'cannot be combined with offset')
  }
  faults.throwIfAny()
  const fromDay = query.startDate === undefined ? undefined : parseDay(query.startDate)
  const lastDay = query.endDate === undefined ? undefined : parseDay(query.endDate)
  return {
    limit: query.limit ?? limits.pageSizeDefault,
    offset,
    column: sorts[name] ?? 'id',
    direction: direction === 'asc' ? 'asc' : 'desc',
    fromId: fromDay && idFloor(kind, dayStartMs(fromDay, timeZone)),
    beforeId: lastDay && idFloor(kind, dayStartMs(nextDay(lastDay), timeZone)),
    fromDay: fromDay && dayNumber(fromDay),
    untilDay: lastDay && dayNumber(lastDay),
    after: query.after,
  }
}

/** The condition that keeps ids within the days of the page; begins with `and`, or is nothing. For rows and for the total. */
export function withinDays(sql: Executor, page: Page) {
  const from = page.fromId === undefined ? sql`` : sql`and id >= ${page.fromId}`
  const before = page.beforeId === undefined ? sql`` : sql`and id < ${page.beforeId}`
  return sql`${from} ${before}`
}

/** The condition of `after`, the order and the slice: the end of the statement that reads the rows. */
export function inPage(sql: Executor, page: Page) {
  const down = page.direction === 'desc'
  const after = page.after === undefined ? sql`` : down ? sql`and id < ${page.after}` : sql`and id > ${page.after}`
  const direction = down ? sql`desc` : sql`asc`
  const order = page.column === 'id' ? sql`id ${direction}` : sql`${sql(page.column)} ${direction}, id ${direction}`
  return sql`${after} order by ${order} limit ${page.limit} offset ${page.offset}`
}

/** `pagination` on the wire. */
export const Pagination = Type.Object(
  {
    count: Type.Integer({ description: 'Results shown so far: `offset` plus those of this page.' }),
    next: Type.Integer({
      description: '`offset` of the next page; the same as `count`, and as `total` after the last one.',
    }),
    previous: Type.Integer({ description: '`offset` of the page before; 0 on the first.' }),
    total: Type.Integer({ description: 'All results that match, whatever the page.' }),
  },
  { $id: 'Pagination', title: 'Pagination', additionalProperties: false },
)

/** The answer of a list: the pagination block and the rows of this page. */
export function pageOf<T extends TSchema>($id: string, row: T) {
  return Type.Object(
    { pagination: named(Pagination), results: Type.Array(named(row)) },
    { $id, title: $id, additionalProperties: false },
  )
}

/** The same on the wire, from the rows of this page and the number of all that match. */
export function listPage<T, W>(page: Page, { rows, total }: { rows: T[]; total: number }, toWire: (row: T) => W) {
  return { pagination: paginationOf(page, rows.length, total), results: rows.map(toWire) }
}

/** The pagination block for a page that shows `shown` rows of `total`. */
export function paginationOf(page: Page, shown: number, total: number): Type.Static<typeof Pagination> {
  const count = page.offset + shown
  return { count, next: count, previous: Math.max(0, page.offset - page.limit), total }
}
