/** The connector that the guide "add a connector" makes passes the conformance suite, as the guide says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conformance } from '@pasarela/connector-kit/conformance'
import { tucan } from '../../../../docs/guides/examples/tucan/connector.ts'
import { tucanTwin } from '../../../../docs/guides/examples/tucan/twin.ts'
import { railOf } from '../../src/rails/index.ts'
import { sampleFields } from '../../src/rails/sample.ts'

const options = { baseUrl: 'https://api.tucan.example/v1', apiKey: 'key' }

for (const { name, check } of conformance) {
  test(`PIX by Tucán: ${name}`, async () => {
    const rail = railOf('PIX')
    assert.ok(rail)
    await check(tucan(options, tucanTwin()), { rail, fields: sampleFields(rail) })
  })
}
