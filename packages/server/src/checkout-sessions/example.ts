/** The session that the reference shows. */
import { offerExample } from '../offers/schema.ts'

export const sessionExample = {
  id: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
  checkoutToken: 'invoice-1001',
  paymentConfigs: [
    {
      currency: 'BRL',
      product: 'BRL:BRL',
      exchangeRate: '1',
      paymentMethods: [
        {
          id: 'pix_brl',
          type: 'PIX',
          enabled: true,
          requiredFields: [
            'pix.customer.firstName',
            'pix.customer.lastName',
            'pix.customer.email',
            'pix.customer.documentNumber',
          ],
          purchaseAmount: '11.90',
        },
      ],
    },
  ],
  createdAt: '2026-01-31T19:38:44.000Z',
  status: 'ATTEMPT',
  items: offerExample.items,
  currency: 'BRL',
  preTaxAmount: '10.00',
  totalAmount: '11.90',
  url: 'http://127.0.0.1:8080/pay/1-Vn9cQ2mJt3xZ0aB4kLr7Pw',
  paymentMethodsAllowed: ['PIX', 'CARD'],
  customer: null,
  redirectUrl: 'https://shop.example/ok',
  destinations: [
    {
      type: 'ACCOUNT',
      amount: '11.90',
      account: { type: 'CHECKING', currency: 'BRL', accountNumber: '100000000001', accountHolder: 'Tienda Demo' },
    },
  ],
  expiresAt: '2026-01-31T20:38:44.000Z',
  owner: { identityId: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab', name: 'Tienda Demo', entityType: 'ORGANIZATION' },
  metadata: {},
  rootSessionId: 'cs_01k9v3m5x8e2wvq0c7d4n6t1ab',
  updatedAt: '2026-01-31T19:38:44.000Z',
}
