/** Cards, by a provider's token only: card numbers do not exist in this system. */

import type { Rail } from '@pasarela/connector-kit'
import { Type } from 'typebox'
import { bounds, customer, days, returnUrls, text } from '../fields.ts'

export const card: Rail = {
  type: 'CARD',
  key: 'card',
  name: 'Card',
  countries: [],
  // Acquirers' usual floor is a fraction of a dollar, their ceiling a few tens of thousands; the issuer decides below that.
  currencies: {
    ...bounds('CLP', '50', '50000000'),
    ...bounds('MXN', '1', '1000000'),
    ...bounds('COP', '1000', '200000000', '1'),
    ...bounds('PEN', '1', '200000'),
    ...bounds('BOB', '1', '400000'),
    ...bounds('PYG', '1000', '400000000'),
    ...bounds('AUD', '0.50', '100000'),
    ...bounds('ARS', '10', '90000000'),
    ...bounds('BRL', '0.50', '300000'),
    ...bounds('USD', '0.50', '50000'),
    ...bounds('CAD', '0.50', '70000'),
    ...bounds('EUR', '0.50', '50000'),
    ...bounds('GBP', '0.50', '50000'),
  },
  flow: 'card',
  required: ['token'],
  fields: Type.Object(
    {
      token: text("The provider's token of the card", 200),
      holder: text('Name on the card'),
      scheme: text('VISA, MASTERCARD, ...', 30),
      type: text('CREDIT, DEBIT or PREPAID', 30),
      mask: Type.Optional(
        Type.String({
          description: 'Last four digits',
          maxLength: 4,
          pattern: '^\\d{4}$',
          'x-wants': 'the last 4 digits',
        }),
      ),
      country: text("Country of the card's issuer", 3),
      expiryMonth: text('Month of expiry, two digits', 2),
      expiryYear: text('Year of expiry, two or four digits', 4),
      customer,
      ...returnUrls,
    },
    { additionalProperties: false },
  ),
  documentTypes: [],
  // Schemes let most authorisations stand for seven days.
  expiresAfterMs: days(7),
  paidOn: 'CAPTURED',
  capture: 'manual',
  cancel: 'provider',
  watchedForMs: days(7),
  settlement: 'T+2',
}
