/** A shop to test with: an identity, accounts, rates, and sessions made through the API. */
import assert from 'node:assert/strict'
import type { Body, Client } from './harness.ts'

export type Shop = {
  identityId: string
  accounts: Record<string, { id: string; accountNumber: string }>
  /** The body of a session of 11.90 BRL, changed as wanted. */
  body(change?: Record<string, unknown>): Body
  /** Creates a session and returns it. */
  session(change?: Record<string, unknown>): Promise<Body>
  read(sessionId: string): Promise<Body>
}

/** A payer for PIX whose e-mail chooses the sandbox's scenario. */
export function pixOf(email = 'ana@example.com') {
  const customer = { firstName: 'Ana', lastName: 'Souza', email, documentType: 'CPF', documentNumber: '52998224725' }
  return { origins: [{ type: 'PIX', currency: 'BRL', pix: { customer } }] }
}
export const anaPix = pixOf()

let tokens = 0

/** Makes the shop through the API: what a merchant's developer would do first. */
export async function makeShop(client: Client, currencies: string[] = ['BRL', 'CLP', 'USD']): Promise<Shop> {
  const identity = await ok(client, 'POST', '/identities', {
    name: 'Loja Demo',
    email: `loja${++tokens}@example.com`,
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '76086428-5',
    type: 'ORGANIZATION',
    country: 'CHL',
    idv: false,
  })
  const accounts: Shop['accounts'] = {}
  for (const currency of currencies) {
    accounts[currency] = await ok(client, 'POST', '/accounts', {
      identityId: identity.id,
      type: 'CHECKING',
      custody: 'BANK_ACCOUNT',
      currency,
      name: `Caja ${currency}`,
    })
  }
  const body = (change: Record<string, unknown> = {}) => ({
    checkoutToken: `order-${++tokens}`,
    items: [
      {
        description: 'Café',
        preTaxAmount: '10.00',
        totalAmount: '11.90',
        tax: { name: 'ICMS', type: 'PERCENTAGE', value: '19', amount: '1.90' },
      },
    ],
    currency: 'BRL',
    paymentMethodsAllowed: ['PIX'],
    destinations: [{ type: 'ACCOUNT', amount: '11.90', account: { accountNumber: accounts['BRL']?.accountNumber } }],
    duration: 3600,
    owner: { identityId: identity.id },
    successUrl: 'https://shop.example/ok',
    failedUrl: 'https://shop.example/no',
    ...change,
  })
  return {
    identityId: identity.id,
    accounts,
    body,
    session: (change) => ok(client, 'POST', '/checkout-sessions', body(change)),
    read: (id) => ok(client, 'GET', `/checkout-sessions/${id}`),
  }
}

/** Calls and returns the body; fails with the answer when it is no success. */
export async function ok(client: Client, method: string, url: string, body?: unknown): Promise<Body> {
  const answer = await client.call(method, url, body)
  assert.ok(answer.status < 300, `${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}
