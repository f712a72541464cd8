/** The log of a process: one line of JSON per thing, without what a database or a caller would slip into it. */
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import { maskSecrets } from '../kit/mask.ts'
import { shortName } from '../kit/problem.ts'

/** What an error may carry of rows and parameters: "Failing row contains (…)", "Key (…)=(…) already exists". */
const ofRows = ['detail', 'where', 'hint', 'internal_query', 'query', 'parameters', 'args', 'types'] as const

/** What a line keeps of an error's message or stack: both may repeat what a caller sent. */
const errorTextLengthMax = 8_000

/** Opens a log. Whatever is written passes the net of `maskSecrets`. */
export function openLog(level: string, destination: DestinationStream): Logger {
  const masked = { write: (line: string) => destination.write(maskSecrets(line)) }
  return pino({ level, base: null, serializers: { err: describeError } }, masked)
}

function describeError(error: Error): unknown {
  const described: Record<string, unknown> = { ...stdSerializers.err(error) }
  for (const name of ofRows) delete described[name]
  for (const [name, value] of Object.entries(described))
    if (typeof value === 'string') described[name] = shortName(value, errorTextLengthMax)
  return described
}
