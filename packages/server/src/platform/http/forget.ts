/** What quotes are made of was changed: this process forgets it before the caller hears of success, others within a second. */
import type { AppContext } from '../../context.ts'
import type { App } from '../../kit/operation.ts'

/** The resources whose rows are remembered (offers/terms.ts). */
const remembered = ['/identities', '/accounts', '/rules', '/exchange-rates']

export function forgetChanges(app: App, ctx: AppContext): void {
  app.addHook('onSend', (request, _reply, payload, done) => {
    const route = request.routeOptions.url ?? ''
    if (request.caller && request.method !== 'GET' && remembered.some((prefix) => route.startsWith(prefix))) {
      ctx.recall.forget(request.caller.merchant.id)
    }
    done(null, payload)
  })
}
