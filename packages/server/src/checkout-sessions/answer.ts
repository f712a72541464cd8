/** The answer to a read of one session: made once for each of its versions, since whoever waits for a payment asks again and again. */
import { LRUCache } from 'lru-cache'
import { batcher, perPool } from '../kit/batch.ts'
import type { Context } from '../kit/context.ts'
import { limits } from '../vocabulary/limits.ts'
import { readSession } from './find.ts'
import { toWire } from './schema.ts'
import { findSequences, type SessionKey } from './store.ts'

type Answer = { sequence: number; text: string }

// One at a time: a round is so short that two would only be smaller.
const sequenceOf = perPool((sql) =>
  batcher<SessionKey, number | undefined>({ most: limits.readBatchMax, lanes: 1 }, (keys) => findSequences(sql, keys)),
)

const answers = perPool(
  () =>
    new LRUCache<string, Answer>({
      maxSize: limits.answersCharacters,
      sizeCalculation: ({ text }) => text.length,
    }),
)

/**
 * A session that was not deleted as JSON text, as the API answers it. The counter of its events is asked for each time: nothing that
 * is shown changes without an event, so an answer with the same counter is still the answer, whichever process wrote meanwhile.
 */
export async function answerSession(
  { sql, publicUrl }: Pick<Context, 'sql' | 'publicUrl'>,
  merchantId: number,
  id: string,
): Promise<string | undefined> {
  const known = answers(sql)
  const name = `${merchantId} ${id}`
  const made = known.get(name)
  if (made && made.sequence === (await sequenceOf(sql)({ merchantId, id }))) return made.text
  const session = await readSession(sql, merchantId, id)
  if (!session) return undefined
  const text = JSON.stringify(toWire(session, publicUrl))
  known.set(name, { sequence: session.eventSequence, text })
  return text
}
