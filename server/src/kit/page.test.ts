/** Lists: days in the merchant's zone, orders, and the pagination block. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dayStartMs, nextDay, parseDay } from './day.ts'
import { newId } from './id.ts'
import { paginationOf, readCommaList, readPage } from './page.ts'
import { Problem } from './problem.ts'

const santiago = 'America/Santiago'

function startOf(text: string, zone: string): string {
  const day = parseDay(text)
  assert.ok(day)
  return new Date(dayStartMs(day, zone)).toISOString()
}

function refusal(work: () => unknown): { pointer: string; detail: string }[] {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.equal(error.key, 'invalidParam')
    return error.errors ?? []
  }
  return assert.fail('nothing was refused')
}

describe('a day', () => {
  test('is read as dd/mm/yyyy and must exist', () => {
    assert.deepEqual(parseDay('29/02/2024'), { year: 2024, month: 2, day: 29 })
    for (const wrong of [
      '29/02/2025',
      '31/04/2025',
      '00/01/2025',
      '01/13/2025',
      '1/1/2025',
      '2025-01-01',
      '01/01/25',
    ]) {
      assert.equal(parseDay(wrong), undefined, wrong)
    }
  })

  test('is followed by the next one, over months, years and leap days', () => {
    assert.deepEqual(nextDay({ year: 2024, month: 2, day: 28 }), { year: 2024, month: 2, day: 29 })
    assert.deepEqual(nextDay({ year: 2025, month: 12, day: 31 }), { year: 2026, month: 1, day: 1 })
  })

  const starts: [text: string, zone: string, instant: string, why: string][] = [
    ['15/07/2025', 'UTC', '2025-07-15T00:00:00.000Z', 'UTC is itself'],
    ['15/07/2025', santiago, '2025-07-15T04:00:00.000Z', 'winter is UTC-4'],
    ['15/01/2025', santiago, '2025-01-15T03:00:00.000Z', 'summer is UTC-3'],
    ['07/09/2025', santiago, '2025-09-07T04:00:00.000Z', 'midnight does not exist: the day begins at 01:00'],
    [
      '06/04/2025',
      santiago,
      '2025-04-06T04:00:00.000Z',
      'the hour before midnight came twice, and belongs to the day before',
    ],
    ['05/04/2025', santiago, '2025-04-05T03:00:00.000Z', 'the day of 25 hours'],
    ['09/03/2025', 'America/Havana', '2025-03-09T05:00:00.000Z', 'midnight does not exist in Havana either'],
    [
      '30/12/2011',
      'Pacific/Apia',
      '2011-12-30T10:00:00.000Z',
      'a day that was left out begins where the next one does',
    ],
    ['31/12/2011', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'the day after it'],
    ['01/01/2025', 'Pacific/Kiritimati', '2024-12-31T10:00:00.000Z', 'the earliest zone'],
    ['01/01/2025', 'Etc/GMT+12', '2025-01-01T12:00:00.000Z', 'the latest zone'],
  ]
  for (const [text, zone, instant, why] of starts) {
    test(`${text} in ${zone}: ${why}`, () => assert.equal(startOf(text, zone), instant))
  }
})

describe('a page', () => {
  test('holds the ids of both its days, from the first millisecond to the last', () => {
    const page = readPage({ startDate: '06/09/2025', endDate: '07/09/2025' }, 'identity', santiago)
    const inside = (instant: string) => {
      const id = newId('identity', Date.parse(instant))
      return id >= (page.fromId ?? '') && id < (page.beforeId ?? '')
    }
    assert.equal(inside('2025-09-06T03:59:59.999Z'), false)
    assert.equal(inside('2025-09-06T04:00:00.000Z'), true)
    assert.equal(inside('2025-09-08T02:59:59.999Z'), true)
    assert.equal(inside('2025-09-08T03:00:00.000Z'), false)
  })

  test('shows 50 from the newest on, unless asked otherwise', () => {
    const page = readPage({}, 'account', 'UTC')
    assert.deepEqual([page.limit, page.offset, page.column, page.direction], [50, 0, 'id', 'desc'])
    const other = readPage({ limit: 7, next: 14, offset: 7, sort: 'expiresAt:asc' }, 'account', 'UTC', {
      createdAt: 'id',
      expiresAt: 'expires_at',
    })
    assert.deepEqual([other.limit, other.offset, other.column, other.direction], [7, 14, 'expires_at', 'asc'])
  })

  test('names every parameter that is wrong', () => {
    const query = { startDate: '31/02/2025', endDate: '32/01/2025', after: 'nonsense', offset: 3 }
    assert.deepEqual(
      refusal(() => readPage(query, 'account', 'UTC')).map((fault) => fault.pointer),
      ['/query/after', '/query/after', '/query/startDate', '/query/endDate'],
    )
  })

  test('follows an id only in the order of creation', () => {
    const after = newId('account', 0)
    assert.equal(readPage({ after, sort: 'createdAt:asc' }, 'account', 'UTC').after, after)
    const sorts = { createdAt: 'id', expiresAt: 'expires_at' }
    assert.equal(refusal(() => readPage({ after, sort: 'expiresAt:asc' }, 'account', 'UTC', sorts)).length, 1)
    assert.equal(refusal(() => readPage({ after: newId('identity', 0) }, 'account', 'UTC')).length, 1)
  })

  const blocks: [offset: number, shown: number, count: number, previous: number][] = [
    [0, 0, 0, 0],
    [0, 10, 10, 0],
    [10, 10, 20, 0],
    [15, 10, 25, 5],
    [30, 2, 32, 20],
  ]
  for (const [offset, shown, count, previous] of blocks) {
    test(`at offset ${offset} with ${shown} rows counts ${count}`, () => {
      const page = readPage({ limit: 10, offset }, 'account', 'UTC')
      assert.deepEqual(paginationOf(page, shown, 32), { count, next: count, previous, total: 32 })
    })
  }

  test('a comma list is its trimmed parts; no list is no filter', () => {
    assert.deepEqual(readCommaList('ATTEMPT, ACTIVE'), ['ATTEMPT', 'ACTIVE'])
    assert.equal(readCommaList(undefined), undefined)
  })
})
