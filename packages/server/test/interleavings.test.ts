/** Thousands of orders of events over real transactions: a fixed budget with a fixed seed; `npm run interleavings` takes new ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from './database.ts'
import { playInterleavings } from './interleavings/run.ts'

const seed = Number(process.env.PASARELA_INTERLEAVINGS_SEED ?? 20261122)
const minutes = Number(process.env.PASARELA_INTERLEAVINGS_MINUTES ?? 0)
const path = process.env.PASARELA_INTERLEAVINGS_PATH

test('no order of submit, notice, poll, expiry, refresh, delete, cancel, refund and decision breaks a promise', async () => {
  const database = await freshDatabase()
  try {
    const milliseconds = minutes > 0 ? minutes * 60_000 : 75_000
    const runs = path !== undefined ? 1 : minutes > 0 ? 10_000_000 : 400
    const budget = { seed, runs, milliseconds, ...(path === undefined ? {} : { path }) }
    const report = await playInterleavings(database.url, budget)
    console.log(JSON.stringify({ seed, ...report }))
    assert.ok(path !== undefined || report.overlaps > report.runs, 'transactions did not overlap')
  } finally {
    await database.drop()
  }
})
