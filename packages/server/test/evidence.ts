/**
 * What a whole test run wrote, kept to be searched when it is over: the log at its most talkative, every refusal, every
 * event. Each secret that a test was given is planted; none may be found.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openOwner } from './database.ts'

/** Where `npm test` tells its files the folder. */
export const evidenceVariable = 'PASARELA_TEST_EVIDENCE'

/** Card numbers that tests send to be refused. */
const testCards = ['4111111111111111', '4242424242424242', '5555555555554444', '5105105105105100', '378282246310005']
const pageToken = /\/(?:pay|link)\/[0-9a-z]+-([A-Za-z0-9_-]{22})/g
/** Long enough that no two planted values share it, short enough for the shortest of them. */
const keyLength = 12

const planted = new Set<string>()

function keep(kind: string, text: string): void {
  const folder = process.env[evidenceVariable]
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, `${kind}-${process.pid}`), `${text}\n`)
}

/** Plants a secret: whoever writes it down gives themselves away at the end of the run. */
export function plant(secret: string): void {
  if (planted.has(secret)) return
  planted.add(secret)
  keep('planted', secret)
}

/** Keeps a line of the log. */
export function keepLog(line: string): void {
  keep('log', line)
}

/** Plants what an exchange with the server reveals, and keeps its answer when it is a refusal. */
export function keepExchange(sent: string | undefined, status: number, answer: string): void {
  for (const card of testCards) if (sent?.includes(card)) plant(card)
  for (const [, token] of answer.matchAll(pageToken)) if (token) plant(token)
  for (const [, secret] of answer.matchAll(/"(whsec_[A-Za-z0-9+/=]{20,})"/g)) if (secret) plant(secret)
  if (status >= 400) keep('refusals', answer)
}

/** Keeps all events of a database, before it goes. */
export async function keepEvents(databaseUrl: string): Promise<void> {
  if (!process.env[evidenceVariable]) return
  const sql = openOwner(databaseUrl, 1)
  try {
    for (const { data } of await sql<{ data: string }[]>`select data::text as data from events`) keep('events', data)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

export type Finding = { kind: string; secret: string; around: string }

/** Searches everything that was kept in the folder for everything that was planted. */
export function searchEvidence(folder: string): { searchedBytes: number; plantedCount: number; findings: Finding[] } {
  const files = readdirSync(folder)
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const secrets = new Set(files.filter((name) => name.startsWith('planted')).flatMap((name) => read(name).split('\n')))
  secrets.delete('')
  // By their last characters: many begin alike.
  const byEnd = new Map<string, string[]>()
  for (const secret of secrets) {
    const end = secret.slice(-keyLength)
    byEnd.set(end, [...(byEnd.get(end) ?? []), secret])
  }
  let searchedBytes = 0
  const findings: Finding[] = []
  for (const name of files.filter((file) => !file.startsWith('planted'))) {
    const text = read(name)
    searchedBytes += text.length
    for (let end = keyLength; end <= text.length; end++) {
      for (const secret of byEnd.get(text.slice(end - keyLength, end)) ?? []) {
        if (text.slice(Math.max(0, end - secret.length), end) !== secret) continue
        findings.push({ kind: name, secret, around: text.slice(Math.max(0, end - secret.length - 120), end + 40) })
      }
    }
  }
  return { searchedBytes, plantedCount: secrets.size, findings }
}
