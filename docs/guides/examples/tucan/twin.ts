/** A twin of Tucán: its HTTP interface over charges in memory, so that the connector can be tried without a network. */

type Charge = { id: string; state: string; brCode: string; amount: string }

/** Answers requests as Tucán does: the same key is the same charge, and an unknown one is 404. */
export function tucanTwin(): typeof fetch {
  const charges = new Map<string, Charge>()
  const answer = (status: number, body: object) => new Response(JSON.stringify(body), { status })
  return async (input, init) => {
    const url = new URL(String(input))
    const [kind = '', key = ''] = url.pathname.split('/').slice(-2)
    const name = `${kind}/${key}`
    if (init?.method === 'PUT' && !charges.has(name)) {
      const { amount } = JSON.parse(String(init.body)) as { amount: string }
      const state = kind === 'refunds' ? 'paid' : 'waiting'
      charges.set(name, { id: `tuc_${key}`, state, brCode: `00020126br.gov.bcb.pix${key}`, amount })
    }
    const charge = charges.get(name)
    if (!charge) return answer(404, { error: 'not found' })
    if (init?.method === 'DELETE' && charge.state === 'waiting') charge.state = 'expired'
    return answer(200, charge)
  }
}
