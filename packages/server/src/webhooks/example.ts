/** What the reference shows of webhook endpoints and deliveries. */

export const create = { url: 'https://shop.example/webhooks', eventTypes: ['checkout_session.*', 'payment.settled'] }

export const endpoint = {
  id: 'we_01k9v3m5x8e2wvq0c7d4n6t1ab',
  url: create.url,
  format: 'standard',
  eventTypes: create.eventTypes,
  status: 'ACTIVE',
  createdAt: '2026-01-05T12:00:00.000Z',
  updatedAt: '2026-01-05T12:00:00.000Z',
}

export const delivery = {
  id: 'whd_01k9v3s4f9d8bat3m6p0y7g2hj',
  type: 'checkout_session.finished',
  stream: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
  sequence: 4,
  status: 'DELIVERED',
  attempts: 1,
  createdAt: '2026-01-05T12:00:00.000Z',
  lastAttemptAt: '2026-01-05T12:00:00.048Z',
  deliveredAt: '2026-01-05T12:00:00.048Z',
  statusCode: 200,
  durationMs: 31,
}
