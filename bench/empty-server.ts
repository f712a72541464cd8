/** Fastify with a handler that does nothing: what a request costs before anything of ours is done. */
import Fastify from 'fastify'

const app = Fastify({ routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true } })
app.get('/checkout-sessions/:checkout_session_id', async () => ({}))
app.post('/auth', async () => ({ accessToken: 'none' }))
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
