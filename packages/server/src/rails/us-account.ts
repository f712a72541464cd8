/** The rail object shared by the three transfers of the USA: where the payer's account is, in both published forms. */
import { Type } from 'typebox'
import { customer, returnUrls, text } from './fields.ts'

export const usAccountFields = Type.Object(
  {
    routingNumber: Type.Optional(
      Type.String({
        description: "ABA number of the payer's bank, 9 digits",
        maxLength: 9,
        pattern: '^\\d{9}$',
        'x-wants': '9 digits',
      }),
    ),
    accountNumber: text("The payer's account", 34),
    accountType: text('CHECKING or SAVINGS', 30),
    accountHolderType: text('INDIVIDUAL or BUSINESS', 30),
    bank: Type.Optional(
      Type.Object(
        {
          accountNumber: text("The payer's account", 34),
          routingNumber: text("ABA number of the payer's bank", 9),
          name: text('Name of the bank'),
          country: text('Country of the bank', 3),
        },
        { additionalProperties: false },
      ),
    ),
    customer,
    ...returnUrls,
  },
  { additionalProperties: false },
)

export const usAccountRequired = [
  'routingNumber',
  'accountNumber',
  'customer.firstName',
  'customer.documentType',
  'customer.documentNumber',
]

/** Newer prose moves the account into `bank`. */
export const usAccountAliases = { accountNumber: 'bank.accountNumber', routingNumber: 'bank.routingNumber' }

export const usDocumentTypes = ['SSN', 'ITIN', 'PASSPORT']
