/** Who hears of payments that have just begun. The sandbox does: its banks send notices by themselves, as providers do. */
import type { PaymentOrder } from '@pasarela/connector-kit'
import type { Context } from '../../kit/context.ts'
import type { Payment } from '../../payments/payment.ts'

export type BegunListener = (payment: Payment, order: PaymentOrder) => Promise<void>

const listeners = new WeakMap<Context, BegunListener[]>()

export function onPaymentBegun(ctx: Context, listener: BegunListener): void {
  listeners.set(ctx, [...(listeners.get(ctx) ?? []), listener])
}

/** Reports a payment that is on record; a listener that a crash keeps from hearing of it must do without. */
export async function reportBegun(ctx: Context, payment: Payment, order: PaymentOrder): Promise<void> {
  for (const listener of listeners.get(ctx) ?? []) await listener(payment, order)
}
