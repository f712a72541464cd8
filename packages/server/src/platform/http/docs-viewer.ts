/** The viewer's script, out of its package. */
import { readFile } from 'node:fs/promises'

const packaged = import.meta.resolve('@scalar/fastify-api-reference')
const before = 'var standalone_default = '

/** The version of the package, which names the script in its URL. */
export async function viewerVersion(): Promise<string> {
  return JSON.parse(await readFile(new URL('../package.json', packaged), 'utf8')).version
}

/**
 * The package's module holds the script as one string, on a line of its own. Importing or running any of it would keep 20 to
 * 30 MB for the life of the process, so the string is read as text: JSON, but for control characters that stand as they are.
 */
export async function readViewer(): Promise<string> {
  const text = await readFile(new URL(packaged), 'utf8')
  const at = text.indexOf(before)
  const literal = text.slice(at + before.length, text.indexOf('";\n', at) + 1)
  if (at === -1 || !literal.startsWith('"')) throw new Error(`${packaged} does not hold the script as it used to`)
  const control = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.parse(literal.replace(/[^ -\uffff]/g, control))
}
