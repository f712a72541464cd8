/** Events on the wire. */
import Type from 'typebox'
import { named } from '../kit/operation.ts'
import { commaListOf } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { eventWishes } from './match.ts'
import type { EventRow } from './store.ts'

const closed = { additionalProperties: false }

export const EventSchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String({ description: 'What happened, for example `checkout_session.finished`.' }),
    timestamp: Type.String({ format: 'date-time' }),
    stream: Type.String({ description: 'What it belongs to: the session, else the link, else the payment.' }),
    sequence: Type.Integer({ description: 'Its number within the stream: 1, 2, 3 … without gaps.' }),
    cursor: Type.String({
      description: 'Its place in the log of all your events; give it as `after` to go on from here.',
    }),
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The whole object as it was at that moment, without its secret `url`.',
    }),
  },
  { ...closed, $id: 'Event', title: 'Event' },
)

export const EventList = Type.Object(
  {
    results: Type.Array(named(EventSchema)),
    next: Type.String({
      description: 'Give it as `after` to go on, now or later. It moves on also where nothing matched.',
    }),
    more: Type.Boolean({ description: 'Whether the log already goes on behind `next`.' }),
  },
  { ...closed, $id: 'EventList', title: 'EventList' },
)

export const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: '^\\d{1,18}$',
        'x-wants': 'a cursor as an earlier answer gave it',
        description: 'Only what follows this cursor. Without it: from the oldest event that is kept.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.pageSizeMax,
        description: `Most events to answer. Default ${limits.pageSizeDefault}.`,
      }),
    ),
    types: Type.Optional(
      commaListOf(
        eventWishes,
        'Types of event, such as `payment.settled` or `checkout_session.*`.',
        'a comma-separated list of types of event, such as payment.settled or checkout_session.*',
      ),
    ),
    stream: Type.Optional(Type.String({ maxLength: 60, description: 'Only of this session, link or payment.' })),
  },
  closed,
)
export type EventsQuery = Type.Static<typeof EventsQuery>

export const eventSchemas = [EventSchema, EventList]

/** An event as the wire shows it. */
export function toWire(event: EventRow): Type.Static<typeof EventSchema> {
  return {
    id: event.id,
    type: event.type,
    timestamp: event.createdAt.toISOString(),
    stream: event.streamId,
    sequence: event.sequence,
    cursor: event.position.toString(),
    data: event.data,
  }
}
