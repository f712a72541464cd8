/** What each rail answers when a payment begins: the fields of its rail object that the payer needs, as the real one gives them. */
import { type Flow, formatAmount, type PaymentOrder } from '@pasarela/connector-kit'
import { addressOf, clabeOf, cvuOf, referenceOf, seed, speiBank, tokenOf } from './accounts.ts'
import { emvPayload, type Scheme } from './emv.ts'

type Fields = Readonly<Record<string, unknown>>

/** Fields that the provider adds to the rail object of this order; none where the payer just confirms in an app. */
export function answerOf(order: PaymentOrder, flow: Flow | undefined): Fields {
  const answer = answers[order.rail] ?? (flow === 'redirect' ? bankPage : undefined)
  return answer?.(order) ?? {}
}

/** The rails that answer more than the page to go to. */
const answers: Readonly<Record<string, (order: PaymentOrder) => Fields>> = {
  PIX: (order) => ({ ...qrOf(pixScheme(), order), expiredAt: order.expiresAt.toISOString() }),
  PCT: (order) => qrOf(argentina, order),
  LIGO: (order) => qrOf(peru(order), order),
  SIP: (order) => qrOf(order.amount.currency === 'BOB' ? bolivia(order) : peru(order), order),
  SPEI: ({ paymentId }) => ({ clabe: clabeOf(paymentId), bankId: speiBank }),
  CVU: ({ paymentId, fields }) => ({ code: typeof fields.code === 'string' ? fields.code : cvuOf(paymentId) }),
  CRYPTO: cryptoOf,
  ETPAY: signedBankPage,
  WOMPI: signedBankPage,
}

function bankPage({ paymentId, publicUrl, returnUrl }: PaymentOrder): Fields {
  const name = [merchantIn(returnUrl), referenceOf(paymentId)].filter(Boolean).join('-')
  return { url: `${publicUrl}/sandbox/bank/${name}`, token: tokenOf(paymentId, 'token') }
}

/** The merchant's part of the page to return to: a reference is one merchant's, so the bank's address names whose it is. */
function merchantIn(returnUrl: string): string | undefined {
  return /\/pay\/([0-9a-z]+)-/.exec(returnUrl)?.[1]
}

function signedBankPage(order: PaymentOrder): Fields {
  const signatureToken = tokenOf(order.paymentId, 'signature')
  return { ...bankPage(order), signatureToken, expiresAt: order.expiresAt.toISOString() }
}

function qrOf(scheme: Scheme, order: PaymentOrder): Fields {
  // The image of it (`qrCode`) is drawn when the payment is shown, not stored with it and all its events.
  const data = emvPayload(scheme, order.amount, referenceOf(order.paymentId))
  return { data }
}

/** A Pix key of the random kind (a UUID); the sandbox's merchants share one. */
function pixScheme(): Scheme {
  const hex = seed('merchant', 'pix-key').toString('hex')
  const key = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)]
  const account = [['00', 'br.gov.bcb.pix'] as const, ['01', key.join('-')] as const]
  return { accounts: [['26', account]], currencyNumber: '986', country: 'BR', city: 'SAO PAULO' }
}

/** Transferencias 3.0: who accepts (26), the merchant's CUIT (50) and account (51). */
const argentina: Scheme = {
  accounts: [
    ['26', [['00', 'com.example.pasarela']]],
    ['50', [['00', '30703088534']]],
    ['51', [['00', cvuOf('merchant')]]],
  ],
  currencyNumber: '032',
  country: 'AR',
  city: 'BUENOS AIRES',
}

/** Peru's clearing house knows the payment by 32 hexadecimal digits in template 39. */
function peru({ paymentId }: PaymentOrder): Scheme {
  const account = tokenOf(paymentId, 'peru').slice(0, 32)
  return { accounts: [['39', account]], currencyNumber: '604', country: 'PE', city: 'LIMA' }
}

function bolivia({ paymentId }: PaymentOrder): Scheme {
  const account = [['00', 'bo.example.sip'] as const, ['01', tokenOf(paymentId, 'bolivia').slice(0, 32)] as const]
  return { accounts: [['26', account]], currencyNumber: '068', country: 'BO', city: 'LA PAZ' }
}

/** Published contracts of the tokens (circle.com, tether.to), so that a wallet shows the right token. */
const tokenContracts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ETH: { USDC: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', USDT: '0xdAC17F958D2ee523a2206206994597C13D831ec7' },
  SOLANA: {
    USDC: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v',
    USDT: 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB',
  },
}

/** An address of the asked network, and the whole as a link for a wallet: EIP-681 on Ethereum, Solana Pay, else address and amount. */
function cryptoOf({ paymentId, amount, fields }: PaymentOrder): Fields {
  const network = typeof fields.network === 'string' ? fields.network : 'ETH'
  const address = addressOf(paymentId, network)
  const contract = tokenContracts[network]?.[amount.currency]
  const decimal = formatAmount(amount.minor, amount.currency)
  const links: Record<string, string> = {
    ETH: `ethereum:${contract}@1/transfer?address=${address}&uint256=${amount.minor}`,
    SOLANA: `solana:${address}?amount=${decimal}&spl-token=${contract}`,
  }
  const data = links[network] ?? `${network.toLowerCase()}:${address}?amount=${decimal}&token=${amount.currency}`
  const referenceId = referenceOf(paymentId)
  return { address, network, token: amount.currency, referenceId, data }
}
