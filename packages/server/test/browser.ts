/** A real Chromium, from a package, for tests of what people see. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import chromium from '@sparticuz/chromium'
import { type Browser, chromium as driver } from 'playwright-core'

/** What the package asks for and tests must not have: with these, pages would be less strict with us than for payers. */
const unwanted = new Set([
  // In a single process the first page that closes takes the browser with it.
  '--single-process',
  '--disable-web-security',
  '--disable-site-isolation-trials',
  '--allow-running-insecure-content',
])

/** Starts it without a window; close it in `after`. */
export async function openBrowser(): Promise<Browser> {
  const home = await unpacked()
  const args = chromium.args.filter((arg) => !unwanted.has(arg) && !arg.startsWith('--disable-features='))
  const env = { ...(process.env as Record<string, string>), HOME: home, FONTCONFIG_FILE: fontsOf(home) }
  return driver.launch({ args, executablePath: join(home, 'chromium'), headless: true, env })
}

/**
 * Names the fonts that came with the package: its own file looks for them where it would have unpacked them, and without
 * any font the browser ends at the first form.
 */
function fontsOf(home: string): string {
  const file = join(home, 'fonts.conf')
  const making = `${file}-${process.pid}`
  const cache = join(home, 'fonts-cache')
  writeFileSync(
    making,
    `<?xml version="1.0"?>\n<fontconfig><dir>${join(home, 'fonts')}</dir><cachedir>${cache}</cachedir></fontconfig>\n`,
  )
  renameSync(making, file)
  return file
}

/**
 * The folder that the package was unpacked into: this user's own, so that nobody meets a file of another's, and moved to its
 * place whole, so that two test files that start at once never run half of it.
 */
async function unpacked(): Promise<string> {
  const home = join(tmpdir(), `pasarela-chromium-${process.getuid?.() ?? 0}`)
  if (existsSync(join(home, 'chromium'))) return home
  const before = process.env.TMPDIR
  const making = `${home}-${process.pid}`
  mkdirSync(making, { recursive: true })
  // The package unpacks into the system's folder for temporary files.
  process.env.TMPDIR = making
  try {
    await chromium.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  try {
    renameSync(making, home)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(join(home, 'chromium'))) throw error
  }
  return home
}
