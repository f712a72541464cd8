/** The page's one script, as a file that may be kept for ever: its content is in its name. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** Comments and indentation are for us. Only comments that begin a line go, and casts: a mask holds what looks like one. */
const source = readFileSync(new URL('./client/page.js', import.meta.url), 'utf8')
  .replace(/^[ \t]*\/\*\*[\s\S]*?(?:\*\/$|(?![\s\S]))/gm, '')
  .replace(/\/\*\* @type [^*]*\*\/ ?/g, '')
  .replace(/^[ \t]*\/\/.*$/gm, '')
  .replace(/\n\s*/g, '\n')
  .trim()

export const script = {
  plain: Buffer.from(source),
  br: brotliCompressSync(source),
  gzip: gzipSync(source, { level: 9 }),
}

export const scriptPath = `/pay/page-${createHash('sha256').update(source).digest('hex').slice(0, 16)}.js`
