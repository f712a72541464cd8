/** A payment that ended unpaid gives its session back. */
import { afterFailure, afterRelease, sessionMachine } from '../../checkout-sessions/session.ts'
import { edge } from '../../kit/machine.ts'
import type { Work } from '../writing/work.ts'

/** The payment ended unpaid: the session may try again, or has come to its own end. */
export async function releaseSession(work: Work, how: 'fail' | 'expire'): Promise<void> {
  const { session, payment, reach, now } = work
  if (payment.relatedPaymentId !== null) return
  await reach.countLinkUse(payment.paymentLinkId, 'released')
  const event = how === 'fail' ? afterFailure(session.row, now) : afterRelease(session.row, now)
  if (how === 'fail') session.row.tries += 1
  if (edge(sessionMachine, session.row.status, event)) session.move(event)
}
