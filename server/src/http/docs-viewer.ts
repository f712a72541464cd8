/** A program that takes the viewer's script out of its package and writes it, compressed, to its output. */
import { gzipSync } from 'node:zlib'
import scalar from '@scalar/fastify-api-reference'
import Fastify from 'fastify'

const app = Fastify()
await app.register(scalar, { routePrefix: '/docs', configuration: { url: '/openapi.json' } })
const { rawPayload, statusCode } = await app.inject('/docs/js/scalar.js')
if (statusCode !== 200) throw new Error(`the viewer's package answered ${statusCode}`)
process.stdout.write(gzipSync(rawPayload, { level: 9 }))
