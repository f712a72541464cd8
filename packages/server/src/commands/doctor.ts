/** `pasarela doctor`: looks at everything that must hold and says what does not. Changes nothing; exit code 1 if anything is bad. */

import { hasCluster } from '@pasarela/postgres-embedded'
import { OperatorError } from '@pasarela/sql/operator-error'
import { openPool } from '../kit/db.ts'
import type { Config } from '../platform/config.ts'
import type { Call } from './command.ts'
import { withDatabase } from './database.ts'
import { configurationChecks, databaseChecks, type Finding, type Patient } from './doctor-checks.ts'

export async function run({ config, name }: Call): Promise<void> {
  const findings: Finding[] = []
  const examine = async (title: string, check: () => Promise<Finding> | Finding) => {
    const finding = await Promise.resolve().then(check).catch(failure)
    findings.push(finding)
    console.log(`${labels[finding.is]}  ${title.padEnd(16)}${finding.says}`)
  }
  for (const [title, check] of Object.entries(configurationChecks)) await examine(title, () => check(config))
  await examine('database', async () => {
    refuseMissingCluster(config)
    return await withDatabase(config, name, async ({ url, ours }) => {
      const sql = openPool(url, { max: 2, applicationName: 'pasarela doctor', asApplication: false })
      try {
        const patient: Patient = { config, url, sql, served: !ours }
        for (const [title, check] of Object.entries(databaseChecks)) await examine(title, () => check(patient))
        return { is: 'ok', says: ours ? 'starts and stops; no server runs at the moment' : 'can be reached' }
      } finally {
        await sql.end({ timeout: 5 })
      }
    })
  })
  const bad = findings.filter((finding) => finding.is === 'bad').length
  console.log(bad === 0 ? '\nAll is well.' : `\n${bad} of ${findings.length} checks found something wrong.`)
  process.exitCode = bad === 0 ? 0 : 1
}

const labels = { ok: 'ok  ', note: 'note', bad: 'BAD ' } as const

function failure(error: unknown): Finding {
  return { is: 'bad', says: error instanceof Error ? error.message : String(error) }
}

/** A visit of the doctor makes no database. */
function refuseMissingCluster(config: Config): void {
  if (config.databaseUrl || hasCluster(config.dataDir)) return
  throw new OperatorError(`There is no database in ${config.dataDir} yet. The first pasarela start makes one.`)
}
