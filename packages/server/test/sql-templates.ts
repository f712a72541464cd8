/** The SQL of the sources as the text of its templates: what a recorded statement is compared with. */

/** Where a template stands, and its text between the holes, with single spaces. */
export type SqlTemplate = { place: string; chunks: string[]; isStatement: boolean }

/** Every `sql` template of a source, those inside of others too. `path` becomes part of their place: `path function`. */
export function templatesOf(path: string, source: string): SqlTemplate[] {
  const found: SqlTemplate[] = []
  const opening = /\b(?:sql|tx|session)(?:<(?:[^<>`]|<(?:[^<>`]|<[^<>`]*>)*>)*>)?`/g
  for (const match of source.matchAll(opening)) {
    const chunks = readTemplate(source, match.index + match[0].length).map((chunk) => oneLine(chunk))
    const place = `${path} ${functionAt(source, match.index)}`
    const isStatement = /^(?:with|select|insert|update|delete)\b/i.test(chunks.join('').trim())
    found.push({ place, chunks: chunks.map((chunk) => chunk.trim()).filter((chunk) => chunk !== ''), isStatement })
  }
  return found
}

/** Whether a statement that was sent came from a template: all of its text is there, in order. */
export function cameFrom(statement: string, template: SqlTemplate): boolean {
  const text = oneLine(statement)
  let at = 0
  for (const chunk of template.chunks) {
    const found = text.indexOf(chunk, at)
    if (found === -1) return false
    at = found + chunk.length
  }
  return template.chunks.length > 0
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

/** The static parts of the template whose text begins at `from`; holes may hold templates and strings of their own. */
function readTemplate(source: string, from: number): string[] {
  const chunks: string[] = []
  let chunk = ''
  for (let at = from; at < source.length; at++) {
    if (source[at] === '`') break
    if (source[at] === '\\') chunk += source[++at]
    else if (source[at] === '$' && source[at + 1] === '{') {
      chunks.push(chunk)
      chunk = ''
      at = endOfHole(source, at + 2)
    } else chunk += source[at]
  }
  return [...chunks, chunk]
}

/** The place of the `}` that closes the hole which begins at `from`. */
function endOfHole(source: string, from: number): number {
  let depth = 0
  for (let at = from; at < source.length; at++) {
    const sign = source[at]
    if (sign === '`') {
      for (at++; source[at] !== '`'; at++) {
        if (source[at] === '\\') at++
        else if (source[at] === '$' && source[at + 1] === '{') at = endOfHole(source, at + 2)
      }
    } else if (sign === "'") at = source.indexOf("'", at + 1)
    else if (sign === '{') depth++
    else if (sign === '}' && depth-- === 0) return at
  }
  throw new Error(`a hole at ${from} has no end`)
}

/** The last function that is declared at the left margin before a place. */
function functionAt(source: string, at: number): string {
  const declared = /^(?:export )?(?:async )?(?:function (\w+)|const (\w+) = )/gm
  let name = ''
  for (const match of source.slice(0, at).matchAll(declared)) name = match[1] ?? match[2] ?? ''
  return name
}
