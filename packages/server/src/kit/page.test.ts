/** Lists: days in the merchant's zone, orders, and the pagination block. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dayNumber, dayNumberAt, dayOfNumber, dayPattern, dayStartMs, dayText, nextDay, parseDay } from './day.ts'
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
  ['04/11/2018', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z', 'midnight did not exist when summer time began'],
  ['18/02/2018', 'America/Sao_Paulo', '2018-02-18T03:00:00.000Z', 'nor come twice when it ended'],
  ['15/01/2020', 'America/Sao_Paulo', '2020-01-15T03:00:00.000Z', 'no summer time since 2019'],
  ['06/10/2024', 'America/Asuncion', '2024-10-06T04:00:00.000Z', 'midnight did not exist'],
  ['23/03/2025', 'America/Asuncion', '2025-03-23T03:00:00.000Z', 'summer time for good since then'],
  ['02/11/2025', 'America/Havana', '2025-11-02T04:00:00.000Z', 'midnight comes twice: the first one counts'],
  ['09/03/2025', 'America/Havana', '2025-03-09T05:00:00.000Z', 'midnight does not exist in Havana either'],
  ['30/12/2011', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'a day that was left out begins where the next one does'],
  ['31/12/2011', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'the day after it'],
  ['01/01/2025', 'Pacific/Kiritimati', '2024-12-31T10:00:00.000Z', 'the earliest zone'],
  ['01/01/2025', 'Etc/GMT+12', '2025-01-01T12:00:00.000Z', 'the latest zone'],
]

describe('a day', () => {
  test('is read as dd/mm/yyyy and must exist', () => {
    assert.equal(parseDay('29/02/2024')?.toString(), '2024-02-29')
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
    const following = (text: string) => {
      const day = parseDay(text)
      return day && dayText(nextDay(day))
    }
    assert.equal(following('28/02/2024'), '29/02/2024')
    assert.equal(following('31/12/2025'), '01/01/2026')
  })

  for (const [text, zone, instant, why] of starts) {
    test(`${text} in ${zone}: ${why}`, () => assert.equal(startOf(text, zone), instant))
  }
})

describe('the number of the day at an instant', () => {
  for (const [text, zone, instant, why] of starts) {
    test(`is the one of ${text} in ${zone} from its first millisecond on: ${why}`, () => {
      const day = parseDay(text)
      assert.ok(day)
      const at = Date.parse(instant)
      // A day that was left out has no instant of its own.
      const number = zone === 'Pacific/Apia' ? dayNumber(day.with({ day: 31 })) : dayNumber(day)
      for (const [ms, expected] of [
        [0, number],
        [3_600_000, number],
        [0, number],
      ] as const)
        assert.equal(dayNumberAt(at + ms, zone), expected)
      assert.ok(dayNumberAt(at - 1, zone) < number)
      assert.equal(dayOfNumber(number).toString(), day.with({ day: zone === 'Pacific/Apia' ? 31 : day.day }).toString())
    })
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
    const query = { after: newId('account', 0), offset: 3, sort: 'expiresAt:asc' }
    assert.deepEqual(
      refusal(() => readPage(query, 'account', 'UTC')).map((fault) => fault.pointer),
      ['/query/after', '/query/after'],
    )
  })

  test('follows an id only in the order of creation', () => {
    const after = newId('account', 0)
    assert.equal(readPage({ after, sort: 'createdAt:asc' }, 'account', 'UTC').after, after)
    const sorts = { createdAt: 'id', expiresAt: 'expires_at' }
    assert.equal(refusal(() => readPage({ after, sort: 'expiresAt:asc' }, 'account', 'UTC', sorts)).length, 1)
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

test('the pattern of days takes exactly the days that exist', () => {
  const pattern = new RegExp(dayPattern, 'u')
  const two = (number: number) => String(number).padStart(2, '0')
  for (const year of ['0000', '0004', '0100', '1900', '2000', '2024', '2025', '2028', '2096', '2100', '2400', '9999'])
    for (let month = 0; month <= 13; month++)
      for (let day = 0; day <= 32; day++) {
        const text = `${two(day)}/${two(month)}/${year}`
        assert.equal(pattern.test(text), parseDay(text) !== undefined, text)
      }
  for (const text of ['1/1/2025', '01/01/25', ' 01/01/2025', '01/01/2025\n', '01-01-2025'])
    assert.ok(!pattern.test(text))
})
