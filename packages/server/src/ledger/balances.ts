/** What merchants' accounts hold, and whether the ledger agrees with itself. */

import type { Currency } from '@pasarela/connector-kit'
import type { Executor } from '../kit/db.ts'
import type { LedgerFault } from './fault.ts'
import { codes } from './posting.ts'
import { findUnbalanced, findWrongBalances, sumBalancesByCodes } from './store.ts'

/** Minor units. `balance` = pending + available. */
export type Balance = { readonly balance: bigint; readonly available: bigint }

/** The balances of these accounts, by account id, all of one moment; zero for an account that nothing was posted to. */
export async function balancesOf(
  sql: Executor,
  merchantId: number,
  accounts: readonly { id: string; currency: Currency }[],
): Promise<Map<string, Balance>> {
  if (accounts.length === 0) return new Map()
  const wanted = accounts.flatMap(({ id, currency }) => [codes.pending(id, currency), codes.available(id, currency)])
  const rows = await sumBalancesByCodes(sql, merchantId, wanted)
  const sums = new Map(rows.map((row) => [row.code, row.amountMinor]))
  return new Map(
    accounts.map(({ id, currency }) => {
      const available = sums.get(codes.available(id, currency)) ?? 0n
      return [id, { available, balance: available + (sums.get(codes.pending(id, currency)) ?? 0n) }]
    }),
  )
}

/** What is wrong in the ledgers of all merchants; empty when all is well. Reads everything: for `doctor` and for tests. */
export async function ledgerFaults(sql: Executor): Promise<LedgerFault[]> {
  return [...(await findUnbalanced(sql)), ...(await findWrongBalances(sql))]
}
