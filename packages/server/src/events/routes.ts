/** The event log as an endpoint: for those who would rather ask than be told. */
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { readEvents } from './read.ts'
import { EventList, EventsQuery, eventSchemas, toWire } from './schema.ts'

const example = {
  id: 'evt_01k9v3s4f9d8bat3m6p0y7g2hj',
  type: 'checkout_session.expired',
  timestamp: '2026-01-05T12:00:00.000Z',
  stream: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
  sequence: 2,
  cursor: '1042',
  data: { id: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab', status: 'EXPIRED' },
}

const list = operation({
  operationId: 'listEvents',
  tag: 'Events',
  summary: 'Read what happened',
  description:
    'All your events of the last 90 days in one order that never changes: who has read up to a cursor has missed nothing before it, whatever committed late. Events of one stream stand in the order of their `sequence`. Ask again with `after` = `next`.',
  querystring: EventsQuery,
  answers: { 200: named(EventList) },
  example: { answer: { results: [example], next: '1042', more: false } },
})

export function eventRoutes(app: App, ctx: Context): void {
  for (const schema of eventSchemas) app.addSchema(schema)

  app.get('/events', { schema: list }, async ({ caller, query }) => {
    const { events, next, more } = await readEvents(ctx, caller, query)
    return { results: events.map(toWire), next: next.toString(), more }
  })
}
