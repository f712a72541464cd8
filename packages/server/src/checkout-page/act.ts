/** What the payer does. Each action is looked up in the table first; each returns where the browser goes next. */
import type { Merchant } from '../access/caller.ts'
import { refreshSession } from '../checkout-sessions/refresh.ts'
import type { Session } from '../checkout-sessions/session.ts'
import type { Context } from '../kit/context.ts'
import { Problem } from '../kit/problem.ts'
import { isOpen, type Payment } from '../payments/payment.ts'
import { pollPayment } from '../processing/asking/poll.ts'
import { cancelPayment } from '../processing/cancel-payment.ts'
import { submitPayment } from '../processing/submit/submit-payment.ts'
import { dropDraft, keepDraft, readDraft } from './draft.ts'
import { checkValues, type Field, fieldsOf, readValues, toRailObject, type Values, wordForRefusal } from './fields.ts'
import { type LoadedSession, loadSession } from './load.ts'
import { type Method, methodsOf } from './methods.ts'
import { openSession } from './open-session.ts'
import type { Query } from './page.ts'
import { type Action, whatActionDoes } from './screens.ts'
import type { WordKey } from './words.ts'

/** Where to go on our own page, and what to remember in this browser. */
export type Next = { query: Query; cookies?: string[] }

export type Acting = { token: string; form: URLSearchParams; cookie: string | undefined }

/** Carries out an action on the session that the token opens. Throws `notFound`. */
export async function act(ctx: Context, action: Action, acting: Acting): Promise<Next> {
  const loaded = await loadSession(ctx, acting.token)
  if (whatActionDoes[action][loaded.session.status] === 'show') return { query: {} }
  return verbs[action](ctx, loaded, acting)
}

const verbs: Readonly<Record<Action, (ctx: Context, loaded: LoadedSession, acting: Acting) => Promise<Next>>> = {
  pay,
  cancel,
  refresh,
  check,
}

/** Pays by the chosen method: checks what was written, and either submits, or goes back to the form, or on to the page for the card. */
async function pay(ctx: Context, { merchant, session }: LoadedSession, acting: Acting): Promise<Next> {
  const { form, token } = acting
  const method = methodsOf(session.quote, session.currency, undefined).find(({ key }) => key === form.get('method'))
  if (!method) return { query: { notice: 'unavailable' } }
  const draft = readDraft(ctx, token, acting.cookie)
  const kept = draft?.method === method.key ? draft : undefined
  const besides = Object.keys(kept?.errors ?? {})
  const { rail } = method
  const fields = fieldsOf({ rail, customer: session.customer, requirements: session.customerRequirements, besides })
  const cardToken = form.get('token')?.slice(0, 200)
  // The page for the card sends its token alone: the rest was written before and waits in this browser.
  const values = rail.flow === 'card' && cardToken && kept ? kept.values : readValues(fields, form)
  const errors = checkValues(fields, values)
  const back = async (wrong: Record<string, WordKey>, query: Query = {}): Promise<Next> => {
    await openSession(ctx, merchant, session)
    const cookies = [keepDraft(ctx, token, { method: method.key, values, errors: wrong })]
    return { query: { method: method.key, ...query }, cookies }
  }
  if (Object.keys(errors).length > 0) return back(errors)
  if (rail.flow === 'card' && !cardToken) return back({}, { go: true })
  const filled = cardToken && rail.flow === 'card' ? { ...values, token: cardToken } : values
  try {
    const payment = await submit(ctx, { merchant, session, method, values: filled, amount: form.get('amount') })
    const leaves = rail.flow === 'redirect' && isOpen(payment)
    return { query: leaves ? { go: true } : {}, cookies: [dropDraft(ctx, token)] }
  } catch (error) {
    return refused(error, { fields, values, method, rail: rail.key, back })
  }
}

type Submission = {
  merchant: Merchant
  session: Session
  method: Method
  values: Values
  amount: string | null
}

function submit(ctx: Context, { merchant, session, method, values, amount }: Submission): Promise<Payment> {
  const { rail, quoted } = method
  return submitPayment(ctx, { merchant }, session.id, {
    origins: [
      {
        type: rail.type,
        currency: quoted.currency,
        // The price that the payer saw: another one by now is refused, and shown before it is paid.
        ...(amount ? { amount: amount.slice(0, 30) } : {}),
        [rail.key]: withKnownAddress(toRailObject(values), session),
      },
    ],
  })
}

/** Parts of an address that were asked for complete what the merchant gave; the rest of the payer is merged by the submit. */
function withKnownAddress(fields: Record<string, unknown>, { customer: known }: Session): Record<string, unknown> {
  const customer = fields.customer as { address?: object } | undefined
  if (!customer?.address || !known?.address) return fields
  return { ...fields, customer: { ...customer, address: { ...known.address, ...customer.address } } }
}

type Refused = {
  fields: readonly Field[]
  values: Values
  method: Method
  rail: string
  back(wrong: Record<string, WordKey>): Promise<Next>
}

/** What the server did not take, beside the field it is about; what is about no field, as a notice or as how things now are. */
function refused(error: unknown, { values, method, rail, back }: Refused): Promise<Next> | Next {
  if (!(error instanceof Problem) || error.status >= 500) throw error
  const query = { method: method.key }
  if (error.key === 'quoteExpired') return { query }
  if (error.key === 'failedPrecondition') return { query: { ...query, notice: 'unavailable' } }
  const faults = error.errors ?? []
  if (faults.some(({ pointer }) => pointer === '/origins/0/amount')) return { query: { ...query, notice: 'price' } }
  const prefix = `/origins/0/${rail}/`
  const paths = faults.flatMap(({ pointer }) =>
    pointer.startsWith(prefix) ? [pointer.slice(prefix.length).replaceAll('/', '.')] : [],
  )
  if (paths.length === 0) return { query: { ...query, notice: 'unavailable' } }
  return back(Object.fromEntries(paths.map((path) => [path, wordForRefusal(path, values)])))
}

async function cancel(ctx: Context, { merchant, session, payment }: LoadedSession, { form }: Acting): Promise<Next> {
  // A form of an older payment must not end a newer one.
  if (!payment || payment.id !== form.get('payment')) return { query: {} }
  try {
    await cancelPayment(ctx, merchant, session.id, payment.id)
    return { query: {} }
  } catch (error) {
    if (error instanceof Problem && error.key === 'failedPrecondition') return { query: { notice: 'nocancel' } }
    throw error
  }
}

async function refresh(ctx: Context, { merchant, session }: LoadedSession, { form }: Acting): Promise<Next> {
  const method = form.get('method')
  const query = method ? { method } : {}
  try {
    await refreshSession(ctx, { merchant, by: 'payer' }, session.id)
    return { query: { ...query, notice: 'refreshed' } }
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return { query: { notice: 'norefresh' } }
    throw error
  }
}

/** "I have paid": asks the provider now. */
async function check(ctx: Context, { merchant, payment }: LoadedSession, { token }: Acting): Promise<Next> {
  if (!payment) return { query: {} }
  await pollPayment(ctx, merchant, payment.id)
  const after = await loadSession(ctx, token)
  return { query: after.session.status === 'FINISHED' ? {} : { notice: 'checked' } }
}

/** The bank sent the payer back: only a look-up, however often and from wherever it comes. */
export async function returnFromBank(ctx: Context, token: string): Promise<void> {
  const { merchant, payment, session } = await loadSession(ctx, token)
  if (!payment || session.status === 'FINISHED') return
  await pollPayment(ctx, merchant, payment.id)
}
