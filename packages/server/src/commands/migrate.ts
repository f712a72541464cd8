/** `pasarela migrate`: brings the database to the newest schema. */
import { migrate } from '../kit/migrate.ts'
import type { Call } from './command.ts'
import { withDatabase } from './database.ts'

export async function run({ config, name }: Call): Promise<void> {
  await withDatabase(config, name, async ({ url }) => {
    const ran = await migrate(url, undefined, console.log)
    console.log(
      ran.length === 0 ? 'The database has the newest schema already.' : `Ran ${ran.length}: ${ran.join(', ')}.`,
    )
  })
}
