/** The shape of the code as rules over its text: paths and sources in, violations out. Reads no file, so that it can be tried on small trees. */

/** Path below `server/src` → source. */
export type Tree = ReadonlyMap<string, string>

/** THE ORDER: a slice imports only what stands before it. `app.ts` registers in the same order. */
export const ranks = [
  'vocabulary',
  'kit',
  'access',
  'events',
  'ledger',
  'identities',
  'accounts',
  'brands',
  'rails',
  'connectors',
  'rules',
  'exchange-rates',
  'quotes',
  'discovery',
  'offers',
  'payment-links',
  'payments',
  'checkout-sessions',
  'outcomes',
  'late-money',
  'webhooks',
  'retention',
  'inbox',
  'sandbox',
  'hosted-page',
  'sandbox-bank',
] as const

/** Folders that put the slices together, as the files beside them do. No slice imports them. */
const assembly = ['http', 'commands']

/** Files that decide and calculate: no database, no clock, nothing to wait for. */
export const pure = [
  'kit/money.ts',
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

/** Every violation of every rule, as `path: what is wrong`. */
export function violations(tree: Tree): string[] {
  const paths = [...tree.keys()].sort()
  const found = paths.flatMap((path) => {
    const text = tree.get(path) ?? ''
    const rules = isTest(path)
      ? [driver, sizes, words]
      : [importsDown, keepsPrivate, driver, railsAndConnectors, sizes, words, places]
    return rules.flatMap((rule) => rule(path, text)).map((wrong) => `${path}: ${wrong}`)
  })
  return [...found, ...cycles(tree)]
}

/** What an import may name: the files it leads to, below `server/src`. Packages are left out. */
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
  if (folder === '' || assembly.includes(folder)) return path.startsWith('..') ? undefined : ranks.length
  const rank = ranks.indexOf(folder as (typeof ranks)[number])
  return rank === -1 ? undefined : rank
}

function sliceOf(rank: number): string {
  return ranks[rank] ?? 'assembly'
}

/** store, routes and jobs are their slice's own; the assembly takes routes and jobs. */
function keepsPrivate(path: string, text: string): string[] {
  return importsOf(path, text).flatMap((target) => {
    const private_ = /\/(store|list-query|routes|jobs)\.ts$/.exec(target)?.[1]
    if (!private_ || folderOf(target) === folderOf(path)) return []
    if ((private_ === 'routes' || private_ === 'jobs') && rankOf(path) === ranks.length) return []
    return [`imports ${target}, which is private to its slice`]
  })
}

/** One file imports the driver, and the port has one front door. */
function driver(path: string, text: string): string[] {
  const named = /(?:from|import\()\s*'pg(?:[-/][^']*)?'/.test(withoutComments(text))
  const direct = named && path !== 'kit/sql/connection.ts' ? ['imports the driver: SQL goes through kit/sql.ts'] : []
  if (path === 'kit/sql.ts' || path.startsWith('kit/sql/')) return direct
  const inside = importsOf(path, text).filter((target) => target.startsWith('kit/sql/'))
  return [...direct, ...inside.map((target) => `imports ${target}, which is inside the port kit/sql.ts`)]
}

/** A rail knows the contract of rails alone; a connector that and its own; neither sees the database. */
function railsAndConnectors(path: string, text: string): string[] {
  const [slice, own, deeper] = path.split('/')
  if (slice !== 'rails' && slice !== 'connectors') return []
  const code = withoutComments(text)
  const database = /kit\/(db|context|sql)\.ts'/.test(code) ? ['sees the database'] : []
  if (!deeper) return database
  const wrong = importsOf(path, text).filter((target) => {
    const [toSlice, toFolder, toDeeper] = target.split('/')
    if (toSlice === 'vocabulary' || toSlice === 'kit') return false
    if (toSlice === slice) return toDeeper !== undefined && toFolder !== own
    return !(slice === 'connectors' && target === 'rails/rail.ts')
  })
  return [...database, ...wrong.map((target) => `imports ${target}: rails and connectors stand alone`)]
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
  [/\bparseFloat\(|\.toFixed\(/, 'a float: amounts are bigint, see kit/money.ts'],
  [/\bNumber\([^()]*(?:minor|amount|price|balance|total|fee|rate)/i, 'an amount as a number: see kit/money.ts'],
  [/\bMath\.\w+\([^()]*(?:minor|amount|price|balance|fee)/i, 'arithmetic on an amount as a number: see kit/money.ts'],
  [/::\s*(?:float\d?|real|double precision|money)\b/i, 'a float in SQL'],
]

function words(path: string, text: string): string[] {
  const code = withoutComments(text)
  const comment = /^(?:#!.*\n)?(?:\/\*\*|\/\/) ?\S|^(?:#!.*\n)?\/\*\*\n/.test(text)
    ? []
    : ['does not begin with a comment']
  const unfinished = /\b(?:TODO|FIXME|XXX)\b/.test(text) ? ['has unfinished business'] : []
  const barrel = /(?:^|\/)index\.ts$/.test(path) && !/^(?:rails|connectors)\//.test(path) ? ['a barrel'] : []
  if (isTest(path)) return [...comment, ...unfinished]
  const said = banned.filter(([pattern]) => pattern.test(code)).map(([, what]) => what)
  return [...comment, ...unfinished, ...barrel, ...said]
}

/** What may be said in its place only. */
const only: { what: string; said: RegExp; in: RegExp }[] = [
  { what: 'reads process.env', said: /\bprocess\.env\b/, in: /^config\.ts$/ },
  {
    what: 'reads the clock',
    said: /\bnew Date\(\)|\bDate\.now\(\)/,
    in: /^kit\/(?:clock|lifetime|embedded-postgres)\.ts$|^kit\/postgres\/|^commands\//,
  },
  { what: 'opens a transaction below the pool', said: /\.begin\(/, in: /^kit\/db\.ts$/ },
  {
    what: 'has SQL',
    said: /\b(?:sql|tx)(?:<[^`]*?>)?`/,
    in: /(?:^|\/)(?:store|[\w-]+-store|[\w-]+-part|list-query)\.ts$|^kit\/|^commands\//,
  },
]

const notVerbs = /(?:^|\/)(?:store|[\w-]+-store|[\w-]+-part|list-query|routes|schema|rail|connector)\.ts$/

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

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** The code alone: comments blanked, lines kept, strings left as they are. */
function withoutComments(text: string): string {
  const parts = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/[^\n]*/g
  return text.replace(parts, (part) => (/^\/[*/]/.test(part) ? part.replace(/[^\n]/g, ' ') : part))
}
