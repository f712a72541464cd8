/** Writes the table of rails from the registry; a test holds the committed file to it, and `UPDATE=1` on that test writes it anew. */
import { type Currency, formatAmount, type Rail, type RailCurrency } from '@pasarela/connector-kit'
import { rails } from './index.ts'

const head = `# Rails

What a payer can pay with. Each rail is one folder of data and one line in \`index.ts\`; schemas, discovery, quotes, the page and
the sandbox are derived from it. This file is generated: run \`UPDATE=1 npm test -- packages/server/src/rails/rails.test.ts\`.

Required fields are below the rail's key once the session's customer is merged in. Limits are in major units; \`in steps of\`
says where a rail is coarser than its currency. A rail with \`cancel: provider\` frees its session only by the provider's word;
with \`local\` our payment ends at once and its reference stays watched.
`

const titles = [
  'type',
  'key',
  'name',
  'countries',
  'flow',
  'currencies and limits',
  'required',
  'payer has',
  'paid on',
  'capture',
  'cancel',
  'settles',
]

/** The whole README as text. */
export function railsReadme(): string {
  return `${head}\n${table([titles, ...rails.map(cellsOf)])}`
}

/** A Markdown table with its columns padded, as the formatter wants it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  const rule = widths.map((width) => '-'.repeat(width))
  const [first = [], ...rest] = lines
  return [first, rule, ...rest].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function cellsOf(rail: Rail): string[] {
  return [
    rail.type,
    `\`${rail.key}\``,
    rail.name,
    rail.countries.join(', ') || 'any',
    rail.flow,
    currenciesText(rail),
    rail.required.map((path) => `\`${path}\``).join(', ') || 'nothing',
    spanText(rail.expiresAfterMs),
    rail.paidOn,
    rail.capture,
    rail.cancel,
    rail.settlement,
  ]
}

/** A rail of the whole world has too many limits for a cell: they are in its file. */
function currenciesText(rail: Rail): string {
  const ranges = Object.entries(rail.currencies)
  if (ranges.length > 3) return `${ranges.length} currencies, see [rail.ts](${rail.type.toLowerCase()}/rail.ts)`
  return ranges.map(([code, range]) => limitsText(code as Currency, range)).join('<br>')
}

function limitsText(currency: Currency, { minMinor, maxMinor, stepMinor }: RailCurrency): string {
  const step = stepMinor === 1n ? '' : ` in steps of ${formatAmount(stepMinor, currency)}`
  return `${currency} ${formatAmount(minMinor, currency)} to ${formatAmount(maxMinor, currency)}${step}`
}

function spanText(spanMs: number): string {
  const minutes = spanMs / 60_000
  if (minutes >= 2880 && minutes % 1440 === 0) return `${minutes / 1440} days`
  return minutes >= 120 && minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`
}
