/** What a command is, and what it is handed when it is called. */
import type { Config, Options, Parsed } from '../platform/config.ts'

export type Command = {
  summary: string
  /** What stands after the command, for its help; each name is required. */
  words?: readonly string[]
  options?: Options
  load(): Promise<{ run(call: Call): Promise<void> }>
}

/** A command's call: `words` as the command names them, `values` its own flags. */
export type Call = { config: Config; values: Parsed['values']; words: string[]; name: string }
