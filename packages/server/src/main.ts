/** THE LIST of commands: what each is for, what it takes, and where it lives. A command is loaded when it is called. */

import { OperatorError } from '@pasarela/sql/operator-error'
import type { Command } from './commands/command.ts'
import { Problem } from './kit/problem.ts'
import { databaseOptions, type Option, readConfig, serverOptions } from './platform/config.ts'

const merchantOption: Option = { value: 'number', help: 'the merchant, as merchants list shows it' }
const jsonOption: Option = { help: 'print JSON' }

export const commands: Readonly<Record<string, Command>> = {
  start: {
    summary: 'serve the API, do the work beside it, and run the embedded database when no other is given',
    options: serverOptions,
    load: () => import('./commands/start.ts'),
  },
  migrate: {
    summary: 'bring the database to the newest schema',
    load: () => import('./commands/migrate.ts'),
  },
  'merchants create': {
    summary: 'make a merchant',
    options: {
      name: { value: 'text', help: 'its name' },
      mode: { value: 'live|sandbox', help: 'whether its money is real' },
      'time-zone': { value: 'name', help: 'IANA time zone of its days, America/Santiago unless given' },
    },
    load: () => import('./commands/merchants-create.ts'),
  },
  'merchants list': {
    summary: 'show all merchants',
    options: { json: jsonOption },
    load: () => import('./commands/merchants-list.ts'),
  },
  'merchants set-time-zone': {
    summary: 'change the time zone of a merchant’s days, and count its sessions by the new ones',
    options: {
      merchant: merchantOption,
      'time-zone': { value: 'name', help: 'IANA time zone, for example America/Mexico_City' },
    },
    load: () => import('./commands/merchants-set-time-zone.ts'),
  },
  'clients create': {
    summary: 'make an API client; its secrets are shown once',
    options: {
      merchant: merchantOption,
      name: { value: 'text', help: 'what it is for' },
      'requests-per-second': { value: 'number', fallback: '1000', help: 'its rate limit; "none" for no limit' },
    },
    load: () => import('./commands/clients-create.ts'),
  },
  'clients rotate': {
    summary: 'give an API client new secrets; the old ones end within five seconds',
    words: ['clientId'],
    load: () => import('./commands/clients-rotate.ts'),
  },
  'clients revoke': {
    summary: 'end an API client within five seconds',
    words: ['clientId'],
    load: () => import('./commands/clients-revoke.ts'),
  },
  'clients list': {
    summary: 'show the API clients of one merchant, or of all',
    options: { merchant: merchantOption, json: jsonOption },
    load: () => import('./commands/clients-list.ts'),
  },
  doctor: {
    summary:
      'check configuration, database, migrations, clock, stuck rows and ledger; exit code 1 if anything is wrong',
    load: () => import('./commands/doctor.ts'),
  },
  retention: {
    summary: 'forget old sessions, events and webhook deliveries; only counts them unless --yes is given',
    options: {
      'sessions-older-than-days': { value: 'number', help: 'sessions that ended, with their payments; at least 30' },
      'events-older-than-days': {
        value: 'number',
        help: 'events that nothing waits for; after 90 days the server forgets them by itself',
      },
      'deliveries-older-than-days': { value: 'number', help: 'webhook deliveries that are done' },
      'refundable-days': {
        value: 'number',
        fallback: '365',
        help: 'a payment settled since then keeps its session: it may be refunded',
      },
      'archive-to': { value: 'folder', help: 'writes sessions and payments there, as lines of JSON, before they go' },
      merchant: { value: 'number', help: 'of this merchant alone' },
      slice: { value: 'number', fallback: '500', help: 'sessions per transaction' },
      'pause-ms': { value: 'number', fallback: '100', help: 'pause between two slices' },
      yes: { help: 'really forget them' },
    },
    load: () => import('./commands/retention.ts'),
  },
  openapi: { summary: 'print the OpenAPI document', load: () => import('./commands/openapi.ts') },
}

/** Runs the command that the arguments name. Ends the process with its exit code. */
export async function main(args: string[]): Promise<void> {
  try {
    process.exitCode = await dispatch(args)
  } catch (error) {
    process.exitCode = 1
    // What an operator can mend is one line; anything else is a bug of ours and shows where it happened.
    console.error(error instanceof OperatorError || error instanceof Problem ? `pasarela: ${error.message}` : error)
  }
}

async function dispatch(args: string[]): Promise<number> {
  const name = [args.slice(0, 2).join(' '), args[0] ?? ''].find((candidate) => candidate in commands)
  const command = name === undefined ? undefined : commands[name]
  if (name === undefined || !command) return refuse(args)
  const { config, values, words, help } = readConfig(args.slice(name.split(' ').length), command.options)
  if (help) {
    console.log(helpOf(name, command))
    return 0
  }
  const wanted = command.words ?? []
  if (words.length !== wanted.length) {
    const form = ['pasarela', name, ...wanted.map((word) => `<${word}>`)].join(' ')
    throw new OperatorError(`It is called as: ${form}. See --help.`)
  }
  const { run } = await command.load()
  await run({ config, values, words, name })
  return typeof process.exitCode === 'number' ? process.exitCode : 0
}

/** No command of that name: the list, as help where help was asked for, else as a refusal. */
function refuse(args: string[]): number {
  const asked = args.length === 0 || args.includes('--help') || args.includes('-h') || args[0] === 'help'
  if (!asked) throw new OperatorError(`There is no command "${args.slice(0, 2).join(' ')}". See pasarela --help.`)
  const rows = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(18)}${command.summary}`)
  console.log(
    ['Usage: pasarela <command> [options]', '', ...rows, '', 'pasarela <command> --help shows its options.'].join('\n'),
  )
  return 0
}

function helpOf(name: string, command: Command): string {
  const own = Object.entries(command.options ?? {}).map(describeOption)
  const database = Object.entries(databaseOptions).map(describeOption)
  const words = (command.words ?? []).map((word) => ` <${word}>`).join('')
  return [
    `Usage: pasarela ${name}${words} [options]`,
    '',
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    '',
    ...own,
    ...database,
    `  ${'PASARELA_MASTER_KEY'.padEnd(34)}32 bytes in base64 that seal secrets (variable only; the embedded database keeps a file)`,
  ].join('\n')
}

function describeOption([name, option]: [string, Option]): string {
  const flag = `  --${name}${option.value ? ` <${option.value}>` : ''}`
  const more = [option.env, option.fallback && `default ${option.fallback}`].filter(Boolean).join(', ')
  return `${flag.padEnd(36)}${option.help}${more ? ` (${more})` : ''}`
}
