/** The application as payers meet it: listening, with a shop and a browser. */

import { freePort } from '@pasarela/sql/ports'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser } from '../browser.ts'
import { type Body, startTestApp, type TestApp } from '../harness.ts'
import { makeShop, ok, type Shop } from '../shop.ts'

export type Site = {
  t: TestApp
  shop: Shop
  browser: Browser
  origin: string
  /** A session in this currency, of one item unless changed. */
  session(currency: string, total: string, methods: string[], change?: Record<string, unknown>): Promise<Body>
  /** A page of a payer of one's own: nothing is shared with other pages. */
  visit(url: string, options?: BrowserContextOptions): Promise<Page>
  close(): Promise<void>
}

export const currencies = ['BRL', 'CLP', 'USD', 'MXN', 'COP', 'ARS', 'PEN', 'BOB']

/** Starts all of it; close it in `after`. Requests that leave this machine fail, and are remembered by `foreign`. */
export async function startSite(): Promise<Site> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const t = await startTestApp({ publicUrl: origin })
  const browser = await openBrowser()
  await t.app.listen({ host: '127.0.0.1', port })
  const shop = await makeShop(t.client, currencies)
  await ok(t.client, 'PUT', '/exchange-rates', {
    rates: [
      { product: 'BRL:CLP', exchangeRate: '170.5' },
      { product: 'USDC:CLP', exchangeRate: '945.12' },
    ],
  })
  return {
    t,
    shop,
    browser,
    origin,
    session: (currency, total, methods, change = {}) => shop.session(offerOf(shop, currency, total, methods, change)),
    visit: async (url, options = {}) => {
      const context = await browser.newContext({ locale: 'es-CL', viewport: { width: 390, height: 844 }, ...options })
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      await page.goto(url)
      return page
    },
    close: async () => {
      await browser.close()
      await t.close()
    },
  }
}

/** The body of a session or link in a currency. */
export function offerOf(
  shop: Shop,
  currency: string,
  total: string,
  methods: string[],
  change: Record<string, unknown> = {},
): Body {
  return shop.body({
    currency,
    items: [{ description: 'Café de Chiapas, 1 kg', preTaxAmount: total, totalAmount: total }],
    paymentMethodsAllowed: methods,
    destinations: [
      { type: 'ACCOUNT', amount: total, account: { accountNumber: shop.accounts[currency]?.accountNumber } },
    ],
    ...change,
  })
}
