/** Finds every regular expression of the product in its sources, and makes the texts that are hardest for each. */
import { globSync, readFileSync } from 'node:fs'
import { SyntaxKind } from 'typescript/unstable/ast'
import { createScanner, type Scanner, tokenIsIdentifierOrKeyword } from 'typescript/unstable/ast/scanner'

export type Pattern = { readonly at: string; readonly pattern: RegExp }

const root = new URL('../', import.meta.url)

/** Every regular expression literal of the server, its commands and the page's script; tests are left out. */
export function patternsInSources(): Pattern[] {
  const paths = globSync(['src/**/*.{ts,js}', 'bin/**/*.js'], { cwd: root.pathname })
  const ours = paths.filter((path) => !path.includes('.test.')).sort()
  return ours.flatMap((path) => literalsIn(path, readFileSync(new URL(path, root), 'utf8')))
}

/** The `pattern` of every schema in a document such as openapi.json. Ajv compiles them with the flag `u`. */
export function patternsInSchemas(document: unknown, at = ''): Pattern[] {
  if (document === null || typeof document !== 'object') return []
  return Object.entries(document).flatMap(([key, value]) =>
    key === 'pattern' && typeof value === 'string'
      ? [{ at: `${at}/pattern`, pattern: new RegExp(value, 'u') }]
      : patternsInSchemas(value, `${at}/${key}`),
  )
}

/** The literals of one source. Throws for `RegExp(…)`: a pattern that is put together at run time could not be tried. */
export function literalsIn(path: string, text: string): Pattern[] {
  const scanner = createScanner(true, undefined, text)
  const found: Pattern[] = []
  const openBraces: boolean[] = []
  let before: SyntaxKind = SyntaxKind.Unknown
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    const token = continued(scanner, kind, before, openBraces)
    const source = scanner.getTokenText()
    if (token === SyntaxKind.Identifier && source === 'RegExp') {
      if (/^\s*\(/.test(text.slice(scanner.getTokenEnd()))) throw new Error(`${path} builds a RegExp at run time`)
    }
    if (token === SyntaxKind.RegularExpressionLiteral) {
      const end = source.lastIndexOf('/')
      const line = text.slice(0, scanner.getTokenStart()).split('\n').length
      found.push({ at: `${path}:${line}`, pattern: new RegExp(source.slice(1, end), source.slice(end + 1)) })
    }
    before = token
  }
  return found
}

/** A scanner knows no grammar: whether `/` begins a literal and `}` goes on with a template follows from what came before. */
function continued(scanner: Scanner, kind: SyntaxKind, before: SyntaxKind, openBraces: boolean[]): SyntaxKind {
  if (kind === SyntaxKind.TemplateHead) openBraces.push(true)
  if (kind === SyntaxKind.OpenBraceToken) openBraces.push(false)
  if (kind === SyntaxKind.CloseBraceToken && openBraces.pop()) {
    const token = scanner.reScanTemplateToken(false)
    if (token === SyntaxKind.TemplateMiddle) openBraces.push(true)
    return token
  }
  const isSlash = kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken
  return isSlash && !endsValue(before) ? scanner.reScanSlashToken() : kind
}

/** Whether a `/` after this token divides. Most keywords of the scanner are names to us (`number`, `type`). */
function endsValue(token: SyntaxKind): boolean {
  return tokenIsIdentifierOrKeyword(token) ? !beginsValue.has(token) : closing.has(token)
}

const beginsValue = new Set<SyntaxKind>([
  SyntaxKind.ReturnKeyword,
  SyntaxKind.CaseKeyword,
  SyntaxKind.TypeOfKeyword,
  SyntaxKind.InKeyword,
  SyntaxKind.OfKeyword,
  SyntaxKind.AwaitKeyword,
  SyntaxKind.YieldKeyword,
])

const closing = new Set<SyntaxKind>([
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.PlusPlusToken,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
])

const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
const candidates = ['a', '1', 'A', ...ascii, '\n', '\0', 'ñ', '\u2010']
const variants = [0, 1, 2]
const prefixesMax = 40

/** Texts of `length` characters: each prefix of what the pattern matches, repeated, and its last character repeated. */
export function* hardTexts({ source, flags }: RegExp, length: number): Generator<string> {
  const prefixes = new Set(['a'])
  for (const variant of variants) {
    const sample = sampleOf(source, flags, variant)
    for (let end = 1; end <= Math.min(sample.length, prefixesMax); end++) prefixes.add(sample.slice(0, end))
  }
  for (const prefix of prefixes) {
    for (const unit of new Set([prefix, prefix.slice(-1), `-${prefix}`, ` ${prefix}`])) {
      const repeated = prefix + unit.repeat(Math.ceil(length / unit.length))
      // The end decides whether the whole has to be given up: once as it comes, once spoilt.
      yield repeated.slice(0, length)
      yield `${repeated.slice(0, length - 2)}\u0001!`
    }
  }
}

/** A text that the pattern matches, more or less: what must not stand there is passed over. The variant picks alternatives and characters. */
export function sampleOf(source: string, flags: string, variant: number): string {
  const branches = [...split(source)]
  const branch = branches[variant % branches.length] ?? ''
  let text = ''
  for (const { atom, least, most } of atomsOf(branch)) {
    const count = Math.min(most, Math.max(least, 1 + variant))
    text += sampleAtom(atom, flags, variant).repeat(count)
  }
  return text
}

function sampleAtom(atom: string, flags: string, variant: number): string {
  if (atom === '^' || atom === '$' || /^\\[bB1-9]/.test(atom) || /^\(\?(!|<!)/.test(atom)) return ''
  if (atom.startsWith('(')) return sampleOf(atom.replace(/^\((\?:|\?<?=|\?<\w+>)?/, '').slice(0, -1), flags, variant)
  const one = new RegExp(`^${atom}$`, flags.replace(/[gy]/g, ''))
  const fitting = candidates.filter((character) => one.test(character))
  return fitting[variant % Math.max(1, fitting.length)] ?? ''
}

/** The branches of a pattern, at its own level. */
function* split(source: string): Generator<string> {
  let from = 0
  for (let at = 0; at < source.length; at = atomEnd(source, at)) {
    if (source[at] !== '|') continue
    yield source.slice(from, at)
    from = at + 1
  }
  yield source.slice(from)
}

function* atomsOf(branch: string): Generator<{ atom: string; least: number; most: number }> {
  for (let at = 0; at < branch.length; ) {
    const end = atomEnd(branch, at)
    const quantifier = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(branch.slice(end))
    const [whole = '', sign, least, comma, most] = quantifier ?? []
    const range = { '*': [0, 9], '+': [1, 9], '?': [0, 1] }[sign ?? '']
    const from = range?.[0] ?? Number(least ?? 1)
    yield { atom: branch.slice(at, end), least: from, most: range?.[1] ?? (comma ? Number(most || 99) : from) }
    at = end + whole.length
  }
}

/** Where the atom that begins at `at` ends: a group, a class, an escape or one character. */
function atomEnd(source: string, at: number): number {
  const escaped = /^\\(?:[pPuk]\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|.)/.exec(source.slice(at))?.[0]
  if (escaped !== undefined) return at + escaped.length
  if (source[at] === '[') {
    let end = at + 1
    while (source[end] !== ']') end += source[end] === '\\' ? 2 : 1
    return end + 1
  }
  if (source[at] !== '(') return at + 1
  let end = at + 1
  while (source[end] !== ')') end = atomEnd(source, end)
  return end + 1
}
