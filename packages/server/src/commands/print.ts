/** What commands print: tables for people, JSON for programs. */

/** The rows as columns under the given titles. */
export function printTable(titles: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const lines = [titles, ...rows].map((row) =>
    row.map((cell) => (cell instanceof Date ? cell.toISOString() : String(cell ?? '-'))),
  )
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2))
}
