/** From the body of a submit to a node that is whole: the chosen method, the payer's data merged, every fault named. */
import { createHash } from 'node:crypto'
import { formatAmount, parseAmount, type Rail } from '@pasarela/connector-kit'
import type { Session } from '../../checkout-sessions/session.ts'
import { Faults, problem } from '../../kit/problem.ts'
import type { CustomerBody } from '../../offers/schema.ts'
import type { PaymentNode } from '../../payments/payment.ts'
import type { QuotedMethod } from '../../quotes/quote.ts'
import { findCardNumber } from '../../rails/card-number.ts'
import { checkRailFields } from '../../rails/check.ts'
import { railOf } from '../../rails/index.ts'
import type { PaymentNodeInput } from '../../rails/node.ts'

export type Submission = {
  description?: string | undefined
  origins?: PaymentNodeInput[] | undefined
  paymentMethod?: string | undefined
  customer?: CustomerBody | undefined
}

export type ReadSubmission = {
  rail: Rail
  method: QuotedMethod
  node: PaymentNode
  description: string | null
  requestHash: Buffer
}

/**
 * Reads a submission against its session. Throws `invalidParam` or `missingParam` naming every fault, and
 * `failedPrecondition` for a method that the session quotes but that cannot be used for this amount.
 */
export function readSubmission(body: Submission, session: Session): ReadSubmission {
  refuseCardNumbers(body)
  const given = givenNode(body)
  const rail = railOf(given.type)
  const method = rail && methodOf(session, given, body)
  if (!rail || !method) throw notAllowed(session, given.at)
  if (!method.enabled) {
    throw problem(
      'failedPrecondition',
      `${rail.name} cannot be used for this amount (${method.purchaseAmount} ${method.currency}); choose another method.`,
    )
  }
  const faults = new Faults()
  const node = wholeNode(session, rail, method, given)
  const fields = node[rail.key] as Record<string, unknown>
  checkRailFields(rail, fields, given.fieldsAt(rail.key), faults)
  checkRequirements(session, fields, given.fieldsAt(rail.key), faults)
  checkAmount(given, method, faults)
  faults.throwIfAny()
  const requestHash = createHash('sha256')
    .update(JSON.stringify([body.description ?? null, node]))
    .digest()
  return { rail, method, node, description: body.description ?? null, requestHash }
}

type Given = { type: string; node: Partial<PaymentNodeInput>; at: string; fieldsAt(key: string): string }

/** Both published forms: one origin node, or the method's name with the payer beside it. */
function givenNode(body: Submission): Given {
  const [origin, ...more] = body.origins ?? []
  if (origin && body.paymentMethod !== undefined) {
    throw fault('/paymentMethod', 'cannot be given beside origins')
  }
  if (origin && body.customer !== undefined) throw fault('/customer', 'belongs into the rail object of origins')
  if (more.length > 0) throw fault('/origins', 'must hold exactly one node')
  if (origin) return { type: origin.type, node: origin, at: '/origins/0/type', fieldsAt: (key) => `/origins/0/${key}` }
  if (body.paymentMethod === undefined)
    throw problem('missingParam', 'Send either origins with one node, or paymentMethod.', {
      errors: [{ pointer: '/origins', detail: 'is required' }],
    })
  const rail = railOf(body.paymentMethod)
  const node = rail && body.customer ? { [rail.key]: { customer: body.customer } } : {}
  return { type: body.paymentMethod, node, at: '/paymentMethod', fieldsAt: () => '' }
}

function methodOf(session: Session, given: Given, body: Submission): QuotedMethod | undefined {
  const quoted = session.quote.methods.filter((method) => method.type === given.type)
  const currency = body.origins?.[0]?.currency
  if (currency === undefined) return quoted.find((method) => method.enabled) ?? quoted[0]
  const match = quoted.find((method) => method.currency === currency)
  if (quoted.length > 0 && !match) {
    throw fault(
      '/origins/0/currency',
      `must be ${quoted.map((method) => method.currency).join(' or ')} for ${given.type} in this session`,
    )
  }
  return match
}

function notAllowed(session: Session, pointer: string) {
  return fault(
    pointer,
    `is not allowed in this session; allowed are ${session.quote.methods.map((method) => method.type).join(', ')}`,
  )
}

/** What is missing of the payer comes from the session. */
function wholeNode(session: Session, rail: Rail, method: QuotedMethod, { node }: Given): PaymentNode {
  const fields = (node[rail.key] ?? {}) as Record<string, unknown>
  const { id: _, ...known } = session.customer ?? {}
  const customer = { ...known, ...(fields.customer as object | undefined) }
  return {
    ...node,
    type: rail.type,
    currency: method.currency,
    amount: method.purchaseAmount,
    [rail.key]: { ...fields, ...(Object.keys(customer).length > 0 ? { customer } : {}) },
  }
}

/** What the merchant wants to know of every payer, whatever the method needs. */
function checkRequirements(session: Session, fields: Record<string, unknown>, at: string, faults: Faults): void {
  const customer = (fields.customer ?? {}) as Record<string, unknown>
  const named = new Set(faults.list.map((f) => f.pointer))
  for (const field of session.customerRequirements ?? []) {
    const pointer = `${at}/customer/${field}`
    const empty = customer[field] === undefined || customer[field] === ''
    if (empty && !named.has(pointer)) faults.addMissing(pointer, 'is required by the merchant')
  }
}

function checkAmount({ node }: Given, method: QuotedMethod, faults: Faults): void {
  if (node.amount === undefined) return
  const minor = parseAmount(node.amount, method.currency)
  if (minor?.toString() === method.purchaseMinor) return
  faults.add(
    '/origins/0/amount',
    `must be "${formatAmount(BigInt(method.purchaseMinor), method.currency)}", or left out`,
  )
}

/** Card numbers do not exist here: refused before anything is stored, and never repeated in the answer. */
function refuseCardNumbers(body: Submission): void {
  const cards = (body.origins ?? []).flatMap((node, index) =>
    node.type === 'CARD' ? [{ node: { ...node, amount: undefined }, at: `/origins/${index}` }] : [],
  )
  for (const { node, at } of cards) {
    const pointer = findCardNumber(node, at)
    if (pointer !== undefined) throw fault(pointer, 'looks like card data; send only the token of your provider')
  }
}

function fault(pointer: string, detail: string) {
  return problem('invalidParam', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
}
