/** `sandbox.json`: the sandbox merchant's credentials, seeded once, kept where only the folder's owner can read them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder, writePrivateFile } from '@pasarela/postgres-embedded'
import type { AppContext } from '../context.ts'
import { Problem } from '../kit/problem.ts'
import type { SandboxSeed } from '../seed.ts'

export type Sandbox = { baseUrl: string } & SandboxSeed

/**
 * The credentials of the folder's file if they still open the API; otherwise the merchant is seeded (or what a crash left is
 * completed, with new secrets) and the file written. `baseUrl` follows where we listen.
 */
export async function sandboxFor(ctx: AppContext, dataDir: string, baseUrl: string): Promise<Sandbox> {
  const file = join(dataDir, 'sandbox.json')
  const kept = readSandbox(file)
  const valid = kept !== undefined && (await opens(ctx, kept))
  if (valid && kept.baseUrl === baseUrl) return kept
  const sandbox = { baseUrl, ...(valid ? without(kept) : await seedAlone(ctx)) }
  makePrivateFolder(dataDir)
  writePrivateFile(file, `${JSON.stringify(sandbox, null, 2)}\n`)
  return sandbox
}

function without({ baseUrl: _, ...seed }: Sandbox): SandboxSeed {
  return seed
}

/** What the file says; undefined for one that is missing, cut short or not ours. */
function readSandbox(file: string): Sandbox | undefined {
  if (!existsSync(file)) return undefined
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<Sandbox>
    const { baseUrl, apiKey, clientId, clientSecret, identityId, accounts } = found
    if (!baseUrl || !apiKey || !clientId || !clientSecret || !identityId || !accounts) return undefined
    return { baseUrl, apiKey, clientId, clientSecret, identityId, accounts }
  } catch {
    return undefined
  }
}

async function opens(ctx: AppContext, { apiKey, clientId, clientSecret }: Sandbox): Promise<boolean> {
  try {
    await ctx.auth.signIn({ 'x-api-key': apiKey }, { clientId, clientSecret }, ctx.clock.nowMs())
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

/** Seeds while no other process does: two at once would make two sandbox merchants. */
async function seedAlone(ctx: AppContext): Promise<SandboxSeed> {
  const { seedSandbox } = await import('../seed.ts')
  const session = await ctx.sql.reserve()
  try {
    await session`select pg_advisory_lock(${seedLock})`
    return await seedSandbox(ctx)
  } finally {
    await session`select pg_advisory_unlock(${seedLock})`
    session.release()
  }
}

const seedLock = 7_271_529
