/** THE LIST of state machines: each with the table whose `status` column it rules. */
import { sessionMachine } from './checkout-sessions/session.ts'
import { linkMachine } from './payment-links/link.ts'
import { paymentMachine, refundMachine } from './payments/payment.ts'

/** `docs/states/<page>.md` is drawn from each; the CHECK of `table.status` is held against it. */
export const machines = [
  { machine: sessionMachine, page: 'checkout-session', table: 'checkout_sessions' },
  { machine: linkMachine, page: 'payment-link', table: 'payment_links' },
  { machine: paymentMachine, page: 'payment', table: 'payments' },
  { machine: refundMachine, page: 'refund', table: 'payments' },
] as const
