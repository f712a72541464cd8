/** The columns of sessions. */

import { formatAmount } from '@pasarela/connector-kit'
import { columnsOf } from '../kit/columns.ts'
import type { Session } from './session.ts'

export const sessionColumns = columnsOf<Session>(
  {
    merchantId: ['int', 'key'],
    id: ['text', 'key'],
    rootSessionId: ['text', 'once'],
    successorId: ['text', 'changes'],
    paymentLinkId: ['text', 'once'],
    checkoutToken: ['text', 'once'],
    pageToken: ['text', 'once'],
    status: ['text', 'moves'],
    ownerIdentityId: ['text', 'once'],
    owner: ['json', 'once'],
    items: ['json', 'once'],
    currency: ['text', 'once'],
    preTaxMinor: ['bigint', 'once'],
    totalMinor: ['bigint', 'once'],
    paymentMethods: ['text[]', 'once'],
    customer: ['json', 'once'],
    customerRequirements: ['text[]', 'once'],
    destinations: ['json', 'once'],
    successUrl: ['text', 'once'],
    failedUrl: ['text', 'once'],
    durationSeconds: ['int', 'once'],
    metadata: ['json', 'once'],
    orderKey: ['text', 'once'],
    quote: ['json', 'changes'],
    quoteExpiresAt: ['timestamptz', 'changes'],
    tries: ['int', 'moves'],
    payerRefreshes: ['int', 'changes'],
    eventSequence: ['int', 'moves'],
    lastEventAt: ['timestamptz', 'moves'],
    createdAt: ['timestamptz', 'once'],
    createdDay: ['int', 'once'],
    updatedAt: ['timestamptz', 'moves'],
    expiresAt: ['timestamptz', 'changes'],
    finishedAt: ['timestamptz', 'moves'],
    deletedAt: ['timestamptz', 'changes'],
  },
  { total_order: ['numeric', 'once', (session) => formatAmount(session.totalMinor, session.currency)] },
)
