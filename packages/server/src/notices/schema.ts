/** Notices as operators see them: what came, what it did, and why somebody should look. */
import Type from 'typebox'
import { limits } from '../vocabulary/limits.ts'
import type { NoticeRow } from './notice.ts'

const closed = { additionalProperties: false }
const When = Type.String({ format: 'date-time' })

export const NoticeSchema = Type.Object(
  {
    id: Type.String(),
    connector: Type.String(),
    connectionId: Type.String(),
    reference: Type.String({ description: "The provider's; for a body that cannot be read, its SHA-256." }),
    kind: Type.String({ description: 'What kind of news, in the words of the connector; `unreadable` for none.' }),
    copies: Type.Integer({ description: 'How often it came.' }),
    body: Type.String({ description: 'As it came; bytes that are no text are shown as `\uFFFD`.' }),
    otherBody: Type.Optional(Type.String({ description: 'The first repetition that said something else.' })),
    paymentId: Type.Optional(Type.String({ description: 'The payment it was matched with.' })),
    effect: Type.Optional(
      Type.Enum(['applied', 'second_money', 'asked'], {
        description:
          'What it did: applied to the payment, put on record as money beside it, or led to asking the provider. Absent: nothing yet.',
      }),
    ),
    attention: Type.Optional(Type.String({ description: 'Why somebody should look.' })),
    receivedAt: When,
    appliedAt: Type.Optional(When),
    dismissedAt: Type.Optional(When),
    dismissedWhy: Type.Optional(Type.String()),
  },
  { ...closed, $id: 'Notice', title: 'Notice' },
)

export const DismissNotice = Type.Object(
  {
    reason: Type.String({
      minLength: 1,
      maxLength: limits.descriptionLength,
      description: 'What was found out; kept with the notice.',
    }),
  },
  { ...closed, $id: 'DismissNotice', title: 'DismissNotice' },
)

export const noticeExample = {
  id: 'ntc_01k9v3q7zde8x9tq3p5s2w4r6c',
  connector: 'sandbox',
  connectionId: 'con_01k9v3q7zde8x9tq3p5s2w4r6c',
  reference: 'sbx2k4m6p8r0t2v4x6z8b0d2f4',
  kind: 'received',
  copies: 1,
  body: '{"event":"received","reference":"sbx2k4m6p8r0t2v4x6z8b0d2f4","amount":"11.90","currency":"BRL"}',
  attention: 'It speaks of no payment of ours.',
  receivedAt: '2026-01-31T19:41:00.000Z',
}

/** A notice on the wire. */
export function toWire(row: NoticeRow) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8').replaceAll('\0', '\uFFFD')
  return {
    id: row.id,
    connector: row.connector,
    connectionId: row.connectionId,
    reference: row.ref,
    kind: row.kind,
    copies: row.copies,
    body: text(row.body),
    ...(row.otherBody ? { otherBody: text(row.otherBody) } : {}),
    ...(row.paymentId ? { paymentId: row.paymentId } : {}),
    ...(row.effect ? { effect: row.effect } : {}),
    ...(row.attention ? { attention: row.attention } : {}),
    receivedAt: row.receivedAt.toISOString(),
    ...(row.appliedAt ? { appliedAt: row.appliedAt.toISOString() } : {}),
    ...(row.dismissedAt ? { dismissedAt: row.dismissedAt.toISOString() } : {}),
    ...(row.dismissedWhy ? { dismissedWhy: row.dismissedWhy } : {}),
  }
}
