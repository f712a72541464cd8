/** The sandbox's bank and card processor, below /sandbox: what redirect rails and cards lead to. For sandbox merchants alone. */

import { formatAmount } from '@pasarela/connector-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { redirect, sendPage } from '../../checkout-page/answer.ts'
import { basePath } from '../../checkout-page/base-path.ts'
import { money } from '../../checkout-page/format.ts'
import { loadSession } from '../../checkout-page/load.ts'
import { methodsOf } from '../../checkout-page/methods.ts'
import { isLanguage } from '../../checkout-page/words.ts'
import type { Context } from '../../kit/context.ts'
import type { App } from '../../kit/operation.ts'
import { problem } from '../../kit/problem.ts'
import { isOpen } from '../../payments/payment.ts'
import { railOf } from '../../rails/index.ts'
import { type Decision, decide, findAtBank } from './decide.ts'
import { bankPage, cardPage, decidedPage } from './pages.ts'

const open = { schema: { hide: true }, config: { access: 'open' as const } }
type Params = { name: string }

export function sandboxBankRoutes(app: App, ctx: Context): void {
  const base = basePath(ctx.publicUrl)
  app.register(async (scope) => {
    // The forms of these pages hold nothing: the address says it all.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1024 }, (_request, _body, done) => done(null, {}))

    scope.get('/bank/:name', open, async (request, reply) => {
      const { name } = request.params as Params
      const { payment, returnUrl } = await findAtBank(ctx, name)
      const amount = money(formatAmount(payment.purchaseMinor, payment.purchaseCurrency), payment.purchaseCurrency)
      const rail = railOf(payment.rail)?.name ?? payment.rail
      const path = `${base}/sandbox/bank/${name}`
      const page = wasDecided(request)
        ? decidedPage(path, returnUrl)
        : bankPage({ path, rail, amount, open: isOpen(payment), returnUrl })
      return sendPage(request, reply, page)
    })
    for (const decision of ['approve', 'decline'] as const satisfies Decision[]) {
      scope.post(`/bank/:name/${decision}`, open, async (request, reply) => {
        const { name } = request.params as Params
        await decide(ctx, name, decision)
        return redirect(reply, `${base}/sandbox/bank/${name}?decided=1`)
      })
    }
    scope.get('/card/:name', open, (request, reply) => sendCardPage(ctx, request, reply))
  })
}

function wasDecided(request: FastifyRequest): boolean {
  return (request.query as { decided?: unknown }).decided === '1'
}

async function sendCardPage(ctx: Context, request: FastifyRequest, reply: FastifyReply) {
  const { name } = request.params as Params
  const { method, lang } = request.query as Record<string, unknown>
  const { merchant, session } = await loadSession(ctx, name)
  const chosen = methodsOf(session.quote, session.currency, undefined).find(({ key }) => key === method)
  if (merchant.mode !== 'sandbox' || !chosen) throw problem('notFound', 'There is no such card page.')
  const { quoted, key } = chosen
  const base = basePath(ctx.publicUrl)
  const page = cardPage({
    path: `${base}/sandbox/card/${name}`,
    payPath: `${base}/pay/${name}`,
    method: key,
    price: quoted.purchaseAmount,
    amount: money(quoted.purchaseAmount, quoted.currency),
    lang: isLanguage(lang) ? lang : 'es',
  })
  return sendPage(request, reply, page)
}
