/** The shape of the code as rules over its text: paths and sources in, violations out. Reads no file, so that it can be tried on small trees. */

/** Path below `packages/server/src` → source. */
export type Tree = ReadonlyMap<string, string>

/** THE ORDER: a slice imports only what stands before it. `app.ts` registers in the same order. */
export const ranks = [
  'vocabulary',
  'kit',
  'platform',
  'access',
  'events',
  'ledger',
  'identities',
  'accounts',
  'brands',
  'rails',
  'connections',
  'rules',
  'exchange-rates',
  'quotes',
  'discovery',
  'offers',
  'payment-links',
  'payments',
  'checkout-sessions',
  'processing',
  'late-money',
  'webhooks',
  'retention',
  'notices',
  'checkout-page',
  'sandbox',
] as const

/** Folders that put the slices together, as the files beside them do. No slice imports them. */
const assembly = ['platform/http', 'commands']

/** Files that decide and calculate: no database, no clock, nothing to wait for. */
export const pure = [
  'kit/machine.ts',
  'ledger/posting.ts',
  'quotes/quote.ts',
  'rules/fee.ts',
  'offers/offer.ts',
  'payment-links/link.ts',
  'payments/payment.ts',
  'checkout-sessions/session.ts',
]

const linesMax = 300
const testLinesMax = 500
const functionLinesMax = 60

/** Tables that a second slice writes, and why. */
export const secondWriters: Readonly<Record<string, string>> = {
  'late-money merchants': "its policy is a merchant's setting, and reading it needs the rails above merchants",
  'retention checkout_session_accounts': 'forgets whole sessions with everything below them',
  'retention checkout_sessions': 'forgets whole sessions with everything below them',
  'retention payments': 'forgets whole sessions with everything below them',
  'webhooks event_log': 'forgets events together with the deliveries that point at them',
  'webhooks events': 'forgets events together with the deliveries that point at them',
}

/** Which slices write each table, as far as the text of their statements says. */
export function writersOf(tree: Tree): Map<string, Set<string>> {
  const writers = new Map<string, Set<string>>()
  for (const [path, text] of tree) {
    if (isTest(path)) continue
    for (const [, table] of withoutComments(text).matchAll(
      /\b(?:insert into|update|delete from) ([a-z]+(?:_[a-z]+)*)\b/g,
    )) {
      if (!table || table === 'set' || table === 'of' || table === 'skip') continue
      const slices = writers.get(table) ?? new Set()
      writers.set(table, slices.add(path.split('/')[0] ?? ''))
    }
  }
  return writers
}

/** Every violation of every rule, as `path: what is wrong`. */
export function violations(tree: Tree): string[] {
  const paths = [...tree.keys()].sort()
  const found = paths.flatMap((path) => {
    const text = tree.get(path) ?? ''
    const rules = isTest(path)
      ? [driver, sizes, words]
      : [importsDown, keepsPrivate, driver, reexports, railsStandAlone, sizes, words, places]
    return rules.flatMap((rule) => rule(path, text)).map((wrong) => `${path}: ${wrong}`)
  })
  return [...found, ...cycles(tree)]
}

/** What an import may name: the files it leads to, below `packages/server/src`. Packages are left out. */
export function importsOf(path: string, text: string): string[] {
  const named = [...withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1])
  const ours = named.filter((name) => name?.startsWith('.'))
  return ours.map((name) => new URL(name ?? '', `file:///src/${path}`).pathname.replace(/^\/(src\/)?/, ''))
}

function importsDown(path: string, text: string): string[] {
  const from = rankOf(path)
  if (from === undefined) return ['its folder has no place in the order of slices']
  return importsOf(path, text).flatMap((target) => {
    const to = rankOf(target)
    if (to === undefined) return [`imports ${target}, which is outside the slices`]
    if (to < from || sliceOf(to) === sliceOf(from)) return []
    return [`imports ${target}, which ranks higher`]
  })
}

/** The place of a file's slice in the order; the assembly stands above all. */
function rankOf(path: string): number | undefined {
  const folder = path.includes('/') ? (path.split('/')[0] ?? '') : ''
  if (path.startsWith('..')) return undefined
  if (folder === '' || assembly.some((above) => path.startsWith(`${above}/`))) return ranks.length
  const rank = ranks.indexOf(folder as (typeof ranks)[number])
  return rank === -1 ? undefined : rank
}

function sliceOf(rank: number): string {
  return ranks[rank] ?? 'assembly'
}

/** store, routes and jobs are their slice's own; the assembly takes routes and jobs. */
function keepsPrivate(path: string, text: string): string[] {
  return importsOf(path, text).flatMap((target) => {
    const private_ = /\/(store|[\w-]+-store|list-query|routes|jobs)\.ts$/.exec(target)?.[1]
    if (!private_ || target.split('/')[0] === path.split('/')[0]) return []
    if ((private_ === 'routes' || private_ === 'jobs') && rankOf(path) === ranks.length) return []
    return [`imports ${target}, which is private to its slice`]
  })
}

/** The port to Postgres is a package of its own: nobody here knows the driver behind it. */
function driver(_: string, text: string): string[] {
  const named = /(?:from|import\()\s*'pg(?:[-/][^']*)?'/.test(withoutComments(text))
  return named ? ['imports the driver: SQL goes through @pasarela/sql'] : []
}

/** No file hands on what a store of its slice exports: other slices use a verb, or a named query in `find.ts`. */
function reexports(_: string, text: string): string[] {
  const handed = /export (?:type )?(?:\*|\{[^}]*\}) from '[^']*\b(?:store|[\w-]+-store)\.ts'/.test(
    withoutComments(text),
  )
  return handed ? ['hands on what a store exports'] : []
}

/** A rail knows the contract of rails alone, and neither the database nor its neighbours. */
function railsStandAlone(path: string, text: string): string[] {
  const [slice, own, deeper] = path.split('/')
  if (slice !== 'rails') return []
  const database = /kit\/(db|context)\.ts'|from '@pasarela\/sql/.test(withoutComments(text))
    ? ['sees the database']
    : []
  if (!deeper) return database
  const wrong = importsOf(path, text).filter((target) => {
    const [toSlice, toFolder, toDeeper] = target.split('/')
    if (toSlice === 'vocabulary' || toSlice === 'kit') return false
    return !(toSlice === slice && (toDeeper === undefined || toFolder === own))
  })
  return [...database, ...wrong.map((target) => `imports ${target}: rails stand alone`)]
}

function sizes(path: string, text: string): string[] {
  const lines = text.replace(/\n$/, '').split('\n')
  const most = isTest(path) ? testLinesMax : linesMax
  const long = lines.length > most ? [`has ${lines.length} lines, more than ${most}`] : []
  if (isTest(path)) return long
  return [...long, ...longFunctions(lines).map(({ at, length }) => `line ${at}: a function of ${length} lines`)]
}

/** Functions over the limit. The code is formatted, so a function ends at the first `}` as far in as its first line. */
function longFunctions(lines: string[]): { at: number; length: number }[] {
  const starts = /^( *)(?:(?:export |default |async |static |override )*(?:function\b|\*?#?\w+\(.*\{$)|.*=> \{$)/
  const notFunctions = /^ *(?:if|for|while|switch|catch|with|do|else|return switch)\b/
  return lines.flatMap((line, index) => {
    const indent = starts.exec(line)?.[1] ?? /^( *)\S.*=> \{$/.exec(line)?.[1]
    if (indent === undefined || notFunctions.test(line)) return []
    const rest = lines.slice(index + 1)
    const end = rest.findIndex((later) => later.startsWith(`${indent}}`) && !later.endsWith('{'))
    const length = end + 2
    return length > functionLinesMax ? [{ at: index + 1, length }] : []
  })
}

/** What may be said nowhere, and why. */
const banned: [RegExp, string][] = [
  [/\benum\s+\w+\s*\{/, 'an enum: use a table'],
  [/(?::|\bas|<|\|)\s*any\b/, 'any: use unknown'],
  [/\bparseFloat\(|\.toFixed\(/, 'a float: amounts are bigint, use @pasarela/connector-kit'],
  [
    /\bNumber\([^()]*(?:minor|amount|price|balance|total|fee|rate)/i,
    'an amount as a number: use @pasarela/connector-kit',
  ],
  [
    /\bMath\.\w+\([^()]*(?:minor|amount|price|balance|fee)/i,
    'arithmetic on an amount as a number: use @pasarela/connector-kit',
  ],
  [/::\s*(?:float\d?|real|double precision|money)\b/i, 'a float in SQL'],
]

function words(path: string, text: string): string[] {
  const code = withoutComments(text)
  const comment = /^(?:#!.*\n)?(?:\/\*\*|\/\/) ?\S|^(?:#!.*\n)?\/\*\*\n/.test(text)
    ? []
    : ['does not begin with a comment']
  const unfinished = /\b(?:TODO|FIXME|XXX)\b/.test(text) ? ['has unfinished business'] : []
  const barrel = /(?:^|\/)index\.ts$/.test(path) && !/^rails\//.test(path) ? ['a barrel'] : []
  if (isTest(path)) return [...comment, ...unfinished]
  const said = banned.filter(([pattern]) => pattern.test(code)).map(([, what]) => what)
  return [...comment, ...unfinished, ...barrel, ...said]
}

/** What may be said in its place only. */
const only: { what: string; said: RegExp; in: RegExp }[] = [
  { what: 'reads process.env', said: /\bprocess\.env\b/, in: /^platform\/config\.ts$/ },
  {
    what: 'reads the clock',
    said: /\bnew Date\(\)|\bDate\.now\(\)/,
    in: /^kit\/clock\.ts$|^platform\/lifetime\.ts$|^commands\//,
  },
  { what: 'opens a transaction below the pool', said: /\.begin\(/, in: /^kit\/db\.ts$/ },
  {
    what: 'has SQL',
    said: /\b(?:sql|tx)(?:<[^`]*?>)?`/,
    in: /(?:^|\/)(?:store|[\w-]+-store|[\w-]+-part|find|checks|list-query)\.ts$|^kit\/|^commands\//,
  },
]

const notVerbs = /(?:^|\/)(?:store|[\w-]+-store|[\w-]+-part|find|checks|list-query|routes|schema|rail|connector)\.ts$/

function places(path: string, text: string): string[] {
  const code = withoutComments(text)
  const misplaced = only.filter((rule) => rule.said.test(code) && !rule.in.test(path)).map((rule) => rule.what)
  const owns = notVerbs.test(path) && /\btransaction\(/.test(code) ? ['opens a transaction: that is for verbs'] : []
  const impure = pure.includes(path) && /\bawait\b|kit\/(?:db|context|clock)\.ts'|\/store\.ts'/.test(code)
  return [...misplaced, ...owns, ...(impure ? ['does more than decide: this file is pure'] : [])]
}

/** Each circle of imports once. */
function cycles(tree: Tree): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path)
    if (at !== -1) found.push(`a circle of imports: ${[...trail.slice(at), path].join(' → ')}`)
    if (at !== -1 || done.has(path)) return
    const text = tree.get(path)
    if (text !== undefined) for (const target of importsOf(path, text)) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of [...tree.keys()].sort()) if (!isTest(path)) visit(path, [])
  return found
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** The code alone: comments blanked, lines kept, strings left as they are. */
function withoutComments(text: string): string {
  const parts = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/[^\n]*/g
  return text.replace(parts, (part) => (/^\/[*/]/.test(part) ? part.replace(/[^\n]/g, ' ') : part))
}
