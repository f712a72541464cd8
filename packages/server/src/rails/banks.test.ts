/** Lists of banks: every country with a rail has one, codes are unique, and the codes seen in the public contract are there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { banksOf, isBank } from './banks.ts'
import { rails } from './index.ts'

test('every country with a rail has banks with unique codes and names', () => {
  for (const country of new Set(rails.flatMap((rail) => rail.countries))) {
    const banks = banksOf(country) ?? []
    assert.ok(banks.length >= 8, country)
    assert.equal(new Set(banks.map((bank) => bank.code)).size, banks.length, country)
    for (const bank of banks) assert.ok(bank.code && bank.name && bank.countryCode === country, JSON.stringify(bank))
  }
})

test('the codes of the public contract are there', () => {
  for (const code of ['BANCO_CHILE', 'BCI', 'SANTANDER', 'BANCO_SANTANDER', 'BANCO_CMF'])
    assert.ok(isBank('CHL', code), code)
  for (const code of ['1007', '1022']) assert.ok(isBank('COL', code), code)
})

test("Mexico's codes are the three digits a CLABE begins with", () => {
  assert.ok(isBank('MEX', '012') && isBank('MEX', '646') && !isBank('MEX', '12') && !isBank('MEX', '999'))
})

test('an unknown country has no list', () => {
  assert.equal(banksOf('ZZZ'), undefined)
  assert.equal(isBank('ZZZ', '1007'), false)
})
