/** A real Chromium, from a package, for tests of what people see. */
import chromium from '@sparticuz/chromium'
import { type Browser, chromium as driver } from 'playwright-core'

/** Starts it without a window; close it in `after`. */
export async function openBrowser(): Promise<Browser> {
  // In a single process, which the package asks for, the first page that closes takes the browser with it.
  const args = chromium.args.filter((arg) => arg !== '--single-process')
  return driver.launch({ args, executablePath: await chromium.executablePath(), headless: true })
}
