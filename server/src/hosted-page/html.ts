/** Markup that cannot be injected into: whatever is no Html is escaped by ghtml, wherever it stands. */
import { html as escaped } from 'ghtml'

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
 * The tag of all templates. A string is text, also in a quoted attribute: `" & ' < = >` become entities. Html and lists of
 * it go in as they are; `false`, `null` and `undefined` are nothing. ghtml's own `!` before an expression is not used, so
 * that an exclamation mark in a sentence can never switch the escaping off.
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
  return escaped`${part}`
}

/** Markup that we wrote ourselves; never text that came from anybody. */
export function ours(text: string): Html {
  return new Html(text)
}
