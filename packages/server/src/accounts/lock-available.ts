/** Taking available money: the one place where an account is locked, because crediting it needs no lock. */

import { formatAmount } from '@pasarela/connector-kit'
import type { Executor } from '../kit/db.ts'
import { problem } from '../kit/problem.ts'
import { balancesOf } from '../ledger/balances.ts'
import * as store from './store.ts'

/**
 * Locks these accounts until the transaction ends and checks that each has this much available (minor units of its own
 * currency). Post the debit in the same transaction. Throws `insufficientFunds` where one has less, `notFound` for none of the merchant's.
 */
export async function lockAvailable(
  tx: Executor,
  merchantId: number,
  takes: readonly { accountId: string; amountMinor: bigint }[],
): Promise<void> {
  const wanted = new Map<string, bigint>()
  for (const { accountId, amountMinor } of takes) wanted.set(accountId, (wanted.get(accountId) ?? 0n) + amountMinor)
  const accounts = await store.lockAccountsByIds(tx, merchantId, [...wanted.keys()])
  const balances = await balancesOf(tx, merchantId, accounts)
  for (const [accountId, amountMinor] of wanted) {
    const account = accounts.find(({ id }) => id === accountId)
    if (!account) throw problem('notFound', `There is no account ${accountId}.`)
    const available = balances.get(accountId)?.available ?? 0n
    if (available >= amountMinor) continue
    const [has, needs] = [available, amountMinor].map((minor) => formatAmount(minor, account.currency))
    throw problem(
      'insufficientFunds',
      `Account ${account.accountNumber} has ${has} ${account.currency} available and ${needs} is needed.`,
    )
  }
}
