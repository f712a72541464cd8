/** Markup that nothing can be injected into: every value that is not Html is escaped, wherever it stands. */

/** Markup made by the tag below, or by us in a constant: the only thing that is not escaped. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

export type Part = Html | string | number | false | null | undefined | readonly Part[]

/**
 * The tag of all templates. A string is text, in content and in quoted attributes alike (tested: no template leaves an
 * attribute unquoted). Html and lists of it go in as they are; `false`, `null` and `undefined` are nothing.
 */
export function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  let text = literals[0] ?? ''
  for (const [index, part] of parts.entries()) text += render(part) + (literals[index + 1] ?? '')
  return new Html(text)
}

function render(part: Part): string {
  if (part instanceof Html) return part.text
  if (part === false || part === null || part === undefined) return ''
  if (typeof part === 'object') return part.map(render).join('')
  return escapeHtml(String(part))
}

/** Replaces every character that could end text or a quoted attribute, or begin a tag, an attribute or an entity. */
function escapeHtml(text: string): string {
  return text.replace(/["&'<=>]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Markup that we wrote ourselves; never text that came from anybody. */
export function ours(text: string): Html {
  return new Html(text)
}
