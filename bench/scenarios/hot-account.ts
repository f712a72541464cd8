/** One account credited by every payment, beside the same load spread over 1,000 accounts. */
import { type ApiClient, idOf, openClient, payOnce, sessionBody } from '../client.ts'
import { measure } from '../measure.ts'
import { type Scenario, shown, type Target } from '../scenario.ts'

const connections = 64
const accounts = 1000
/** Taken in turns: what changes on the machine meanwhile meets both sides alike. */
const turns = 3

export const scenario: Scenario = {
  name: 'hot-account',
  about: 'whole paid flows into one account, and into 1,000',
  run: async (bench) => {
    const target = await bench.openTarget()
    const client = await openClient(target.address, target.seed, connections)
    const numbers = await makeAccounts(client, target)
    const one = numbers[0] as string
    let turn = 0
    const seconds = Math.max(1, bench.seconds / turns)
    const sums = { one: 0, many: 0 }
    for (let n = 0; n < turns; n++) {
      sums.one += await flowsPerSecond(client, target, { seconds, next: () => one })
      sums.many += await flowsPerSecond(client, target, {
        seconds,
        next: () => numbers[turn++ % numbers.length] as string,
      })
    }
    client.close()
    await target.stop()
    const ratio = sums.one / sums.many
    return [
      {
        what: 'paid flows that credit one account',
        figure: shown(sums.one / turns, '/s'),
        yardstick: `the same load over ${accounts} accounts`,
        its: shown(sums.many / turns, '/s'),
        ratio,
        target: '>= 0.9',
        met: ratio >= 0.9,
      },
    ]
  },
}

async function flowsPerSecond(
  client: ApiClient,
  target: Target,
  { seconds, next }: { seconds: number; next(): string },
): Promise<number> {
  const { perSecond } = await measure(connections, seconds, async () => {
    await payOnce(client, sessionBody(target.seed, next()))
  })
  return perSecond
}

async function makeAccounts(client: ApiClient, { seed }: Target): Promise<string[]> {
  const body = { identityId: seed.identityId, type: 'CHECKING', custody: 'BANK_ACCOUNT', currency: 'BRL', name: 'Caja' }
  return Promise.all(
    Array.from({ length: accounts }, async () => {
      const answer = await client.call('POST', '/accounts', body)
      idOf(answer, 201)
      return JSON.parse(answer.text).accountNumber as string
    }),
  )
}
