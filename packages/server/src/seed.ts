/** The sandbox merchant that a new database begins with: made through the verbs, complete after any crash. */
import { createHash } from 'node:crypto'
import { type Currency, divideHalfUp, formatDecimal } from '@pasarela/connector-kit'
import type { Caller, Merchant } from './access/caller.ts'
import { createClient, createMerchant, listClients, listMerchants, rotateClient } from './access/manage-clients.ts'
import { createAccount } from './accounts/create.ts'
import type { AppContext } from './context.ts'
import { setRates } from './exchange-rates/set.ts'
import { createIdentity } from './identities/create.ts'
import { uuidBytes } from './kit/id.ts'
import { createRule } from './rules/create.ts'

export type SandboxSeed = {
  apiKey: string
  clientId: string
  clientSecret: string
  identityId: string
  /** Account number by currency. */
  accounts: Record<string, string>
}

const merchantName = 'Sandbox'
const accountCurrencies: Currency[] = ['CLP', 'BRL', 'MXN', 'COP', 'ARS', 'PEN', 'BOB', 'USD']

/** Sample rates: how many hundredths of each one dollar is. Plausible, and nobody's offer. */
const centsPerDollar: Partial<Record<Currency, bigint>> = {
  CLP: 950_00n,
  BRL: 5_40n,
  MXN: 18_50n,
  COP: 4000_00n,
  ARS: 1450_00n,
  PEN: 3_60n,
  BOB: 6_90n,
  USD: 1_00n,
  USDC: 1_00n,
  USDT: 1_00n,
}

/**
 * Makes the sandbox merchant with an API client (without a rate limit), an identity with an account per currency, rates
 * between all of them, one fee rule and a second identity that owns nothing. Run again it completes what is missing and
 * gives the client new secrets: they are shown here and nowhere else.
 */
export async function seedSandbox(ctx: AppContext): Promise<SandboxSeed> {
  const known = (await listMerchants(ctx.sql)).find((m) => m.mode === 'sandbox' && m.name === merchantName)
  const merchant = known ?? (await createMerchant(ctx.sql, { name: merchantName, mode: 'sandbox' }))
  const secrets = await sandboxClient(ctx, merchant)
  const as = (name: string): Caller => ({
    merchant,
    clientId: secrets.clientId,
    requestsPerSecond: null,
    version: 'v2',
    seed: fixedUuid(merchant, name),
  })
  const identity = await createIdentity(ctx, as('identity'), {
    type: 'ORGANIZATION',
    name: 'Tienda Demo',
    email: 'demo@tienda.example',
    phone: '+56912345678',
    documentType: 'RUT',
    documentNumber: '76086428-5',
    country: 'CHL',
  })
  await createIdentity(ctx, as('second identity'), {
    type: 'USER',
    name: 'Ana',
    lastname: 'Rojas',
    email: 'ana@tienda.example',
    phone: '+56987654321',
    documentType: 'RUT',
    documentNumber: '12345678-5',
    country: 'CHL',
  })
  const accounts: Record<string, string> = {}
  for (const currency of accountCurrencies) {
    const account = await createAccount(ctx, as(`account ${currency}`), {
      identityId: identity.id,
      type: 'CHECKING',
      custody: 'BANK_ACCOUNT',
      currency,
      name: `Cuenta ${currency}`,
    })
    accounts[currency] = account.accountNumber
  }
  await createRule(ctx, as('fee rule'), {
    type: 'FEE',
    identityId: identity.id,
    overwrites: false,
    feeRule: { description: 'Pasarela', feeType: 'PERCENTAGE', value: '2.5' },
  })
  await setRates(ctx, as('rates'), { rates: sampleRates() })
  return {
    apiKey: secrets.apiKey,
    clientId: secrets.clientId,
    clientSecret: secrets.clientSecret,
    identityId: identity.id,
    accounts,
  }
}

async function sandboxClient(ctx: AppContext, merchant: Merchant) {
  const [client] = (await listClients(ctx.sql, merchant.id)).filter((c) => c.revokedAt === null)
  if (client) return rotateClient(ctx.sql, client.id)
  return createClient(ctx.sql, { merchantId: merchant.id, name: 'sandbox', requestsPerSecond: null })
}

/** The same for the same merchant and name, whenever it is asked: a repeated seed meets its own rows. */
function fixedUuid(merchant: Merchant, name: string): Uint8Array {
  const bytes = uuidBytes(1_700_000_000_000)
  bytes.set(createHash('sha256').update(`${merchant.id} ${name}`).digest().subarray(0, 7), 9)
  bytes.set([0x70, 0, 0x80], 6)
  return bytes
}

function sampleRates() {
  const currencies = Object.entries(centsPerDollar) as [Currency, bigint][]
  return currencies.flatMap(([from, fromPerDollar]) =>
    currencies
      .filter(([to]) => to !== from)
      .map(([to, toPerDollar]) => ({ product: `${from}:${to}`, exchangeRate: rateText(toPerDollar, fromPerDollar) })),
  )
}

/** The quotient with six significant digits. */
function rateText(to: bigint, from: bigint): string {
  const digits = (to * 10n ** 12n) / from
  const spare = 10n ** BigInt(Math.max(0, digits.toString().length - 6))
  return formatDecimal({ digits: divideHalfUp(digits, spare) * spare, scale: 12 })
}
