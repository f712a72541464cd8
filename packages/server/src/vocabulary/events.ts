/** Every event: what happened, to which noun, since when. Delivered names never change; data is the whole noun as it was. */

export const eventTypes = {
  'checkout_session.created': { noun: 'checkoutSession', means: 'A session was created or minted from a link.' },
  'checkout_session.opened': { noun: 'checkoutSession', means: 'The payer acted on the page for the first time.' },
  'checkout_session.payment_submitted': {
    noun: 'checkoutSession',
    means: 'A payment was submitted; its outcome is awaited.',
  },
  'checkout_session.reopened': {
    noun: 'checkoutSession',
    means: 'The payment failed, ended or was cancelled; another may be tried.',
  },
  'checkout_session.finished': { noun: 'checkoutSession', means: 'The session is paid.' },
  'checkout_session.failed': { noun: 'checkoutSession', means: 'The payment failed and nothing more can be tried.' },
  'checkout_session.expired': { noun: 'checkoutSession', means: 'The time is over and nothing was paid.' },
  'checkout_session.refreshed': {
    noun: 'checkoutSession',
    means: 'A fresh quote and time; `successorId` names the new session where there is one.',
  },
  'checkout_session.deleted': { noun: 'checkoutSession', means: 'The merchant deleted the session.' },
  'checkout_session.paid_late': {
    noun: 'checkoutSession',
    means: 'Money that came late was accepted; the session is paid.',
  },
  'payment_link.created': { noun: 'paymentLink', means: 'A link was created.' },
  'payment_link.activated': { noun: 'paymentLink', means: 'The link accepts new sessions.' },
  'payment_link.deactivated': { noun: 'paymentLink', means: 'The link accepts no new sessions.' },
  'payment_link.exhausted': { noun: 'paymentLink', means: 'All its payments are in flight or paid.' },
  'payment_link.released': {
    noun: 'paymentLink',
    means: 'A payment in flight ended unpaid; the link may be used again.',
  },
  'payment_link.expired': { noun: 'paymentLink', means: 'Its duration is over.' },
  'payment_link.finished': { noun: 'paymentLink', means: 'All its payments are paid.' },
  'payment_link.deleted': { noun: 'paymentLink', means: 'The merchant deleted the link.' },
  'payment.created': { noun: 'payment', means: 'A payment was submitted and the provider is asked.' },
  'payment.instructed': { noun: 'payment', means: 'The provider said how to pay (QR, account, page).' },
  'payment.authorized': { noun: 'payment', means: 'The money is reserved.' },
  'payment.captured': { noun: 'payment', means: 'The provider took the money.' },
  'payment.received': { noun: 'payment', means: 'The provider has the money for us.' },
  'payment.settled': { noun: 'payment', means: 'Reconciled: the money is available.' },
  'payment.failed': { noun: 'payment', means: 'The provider or the operator said no.' },
  'payment.expired': { noun: 'payment', means: 'Nothing was paid in time, or the payment was cancelled.' },
  'payment.reversed': { noun: 'payment', means: 'The money went back before it settled.' },
  'payment.held': { noun: 'payment', means: 'Money came that nothing waits for; somebody decides what becomes of it.' },
  'payment.resolved': { noun: 'payment', means: 'An operator decided.' },
  'payment.attention': { noun: 'payment', means: 'Somebody should look: `attention` says why.' },
  'payment.refunded': { noun: 'payment', means: 'Refunds that are done make up the whole payment.' },
  'payment.refund.created': { noun: 'payment', means: 'A refund was started.' },
  'payment.refund.settled': { noun: 'payment', means: 'The refund reached the payer.' },
  'payment.refund.failed': { noun: 'payment', means: 'The refund was refused; the money is available again.' },
  'webhook_endpoint.paused': {
    noun: 'webhookEndpoint',
    means: 'Nothing was delivered to it for so long that trying stopped; what it misses is kept.',
  },
  'webhook_endpoint.resumed': { noun: 'webhookEndpoint', means: 'What it missed is being delivered, in order.' },
} as const satisfies Record<
  string,
  { noun: 'checkoutSession' | 'paymentLink' | 'payment' | 'webhookEndpoint'; means: string }
>

export type EventType = keyof typeof eventTypes
