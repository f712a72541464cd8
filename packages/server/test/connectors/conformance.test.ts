/** The conformance suite on every connector of the registry and every rail it serves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { conformance } from '@pasarela/connector-kit/conformance'
import { connectorFor, connectors } from '../../src/connections/registry.ts'
import { railOf, railTypes } from '../../src/rails/index.ts'
import { sampleFields } from '../../src/rails/sample.ts'

for (const connector of connectors) {
  describe(`connector ${connector.name}`, () => {
    for (const type of connector.rails) {
      for (const { name, check } of conformance) {
        test(`${type}: ${name}`, async () => {
          const rail = railOf(type)
          assert.ok(rail, `there is no rail ${type}`)
          await check(connector, { rail, fields: sampleFields(rail) })
        })
      }
    }
  })
}

test('the sandbox serves every rail, and its name leads to it', () => {
  assert.deepEqual(connectorFor('sandbox')?.rails, railTypes)
  assert.equal(connectorFor('nobody'), undefined)
})
