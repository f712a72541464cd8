/** `pasarela openapi`: prints the document that /openapi.json answers, without a database. */
import { describeApi } from '../describe.ts'
import { printJson } from './print.ts'

export async function run(): Promise<void> {
  printJson(await describeApi())
}
