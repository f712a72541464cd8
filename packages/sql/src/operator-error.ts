/** What an operator can mend: one line that says what is wrong and what to do. Shown without a stack, exit code 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
}

/** The `code` of an error of Node or of the database (`ENOENT`, `28P01`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
