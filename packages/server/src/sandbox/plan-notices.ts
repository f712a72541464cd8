/** The sandbox's banks learn of a new payment: they will report it by themselves where its scenario says so. */
import { playedNotices } from '@pasarela/connectors/sandbox'
import type { Context } from '../kit/context.ts'
import { onPaymentBegun } from '../processing/submit/begun.ts'
import { insertNotice } from './store.ts'

/** Plans the notices of every payment that begins from now on. */
export function planNotices(ctx: Context): void {
  onPaymentBegun(ctx, async ({ merchantId, id, connector }, order) => {
    if (connector !== 'sandbox') return
    const [first] = playedNotices(order)
    if (first) await insertNotice(ctx.sql, { merchantId, paymentId: id, dueAt: first.at })
  })
}
