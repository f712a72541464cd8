/** What one step changes: recorded while it decides, and written in one statement when it is done. */

import type { TrackedSession } from '../../checkout-sessions/move.ts'
import type { MovedSession } from '../../checkout-sessions/move-part.ts'
import type { NewEvent } from '../../events/event.ts'
import type { NewEntry } from '../../ledger/entry.ts'
import type { GuardedEntry } from '../../ledger/post-part.ts'
import type { Payment } from '../../payments/payment.ts'
import type { KeyWrite } from '../../platform/idempotency-part.ts'

/** Everything that one step writes. The counters of events guard it: all of it is written, or nothing. */
export type ChangeSet = {
  /** The payment's own session first; others only where their locks are held. */
  readonly sessions: readonly MovedSession[]
  readonly events: readonly NewEvent[]
  readonly newPayments: readonly Payment[]
  readonly payments: readonly Payment[]
  readonly entries: readonly GuardedEntry[]
  readonly keys: readonly KeyWrite[]
}

export class Changes {
  readonly #sessions: TrackedSession[]
  readonly #newPayments: Payment[] = []
  readonly #payments = new Map<string, Payment>()
  readonly #entries: NewEntry[] = []

  constructor(session: TrackedSession) {
    this.#sessions = [session]
  }

  /** New payments of this step: they are not in the database yet. */
  get newPayments(): readonly Payment[] {
    return this.#newPayments
  }

  /** Records another session of the chain, whose lock the caller holds. */
  addSession(session: TrackedSession): void {
    this.#sessions.push(session)
  }

  insertPayment(payment: Payment): void {
    this.#newPayments.push(payment)
  }

  updatePayment(payment: Payment): void {
    if (this.#newPayments.includes(payment)) return
    const known = this.#payments.get(payment.id)
    if (known && known !== payment) throw new Error(`two copies of payment ${payment.id} are changed in one step`)
    this.#payments.set(payment.id, payment)
  }

  post(entry: NewEntry): void {
    this.#entries.push(entry)
  }

  /** Hands over what has been recorded, with the keys that it answers. Undefined when nothing has. */
  take(keys: readonly KeyWrite[]): ChangeSet | undefined {
    const taken = this.#sessions.map((session) => ({ session: session.row, ...session.take() }))
    const events = taken.flatMap((one) => one.events)
    const changed = events.length + this.#newPayments.length + this.#payments.size + this.#entries.length + keys.length
    if (changed === 0) return undefined
    const sessionId = taken[0]?.session.id ?? ''
    return {
      sessions: taken.map(({ session, sequenceBefore }) => ({ session, sequenceBefore })),
      events,
      newPayments: this.#newPayments,
      payments: [...this.#payments.values()],
      entries: this.#entries.map((entry) => ({ sessionId, entry })),
      keys,
    }
  }
}
