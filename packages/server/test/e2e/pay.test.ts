/** A payer pays: every flow, in every language, with the script and without any. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { languages } from '../../src/checkout-page/words.ts'
import type { Body } from '../harness.ts'
import { type Site, startSite } from './site.ts'

let site: Site
before(async () => {
  site = await startSite()
})
after(() => site.close())

type Flow = {
  name: string
  currency: string
  total: string
  rail: string
  fill: Readonly<Record<string, string>>
  /** What the payer is shown to pay with. */
  instructions?(page: Page): Promise<void>
  /** What the payer does away from our page. */
  elsewhere?(page: Page): Promise<void>
}

const code = (page: Page) => page.locator('code').first().textContent()

const flows: readonly Flow[] = [
  {
    name: 'QR (Pix)',
    currency: 'BRL',
    total: '119.90',
    rail: 'PIX',
    fill: {
      'customer.firstName': 'Ana',
      'customer.lastName': 'Souza',
      'customer.email': 'ana@example.com',
      'customer.documentNumber': '52998224725',
    },
    async instructions(page) {
      assert.match((await code(page)) ?? '', /^000201.*6304[0-9A-F]{4}$/)
      assert.equal(await page.locator('.qr svg').count(), 1)
    },
  },
  {
    name: 'transfer (SPEI)',
    currency: 'MXN',
    total: '1249.50',
    rail: 'SPEI',
    fill: { 'customer.firstName': 'Ana', 'customer.lastName': 'Rojas' },
    async instructions(page) {
      const rows = await page.locator('dl').innerText()
      assert.match(rows, /CLABE\s+\d{18}/)
      assert.match(rows, /\$1,249\.50 MXN/)
    },
  },
  {
    name: 'redirect (Webpay)',
    currency: 'CLP',
    total: '24990',
    rail: 'WEBPAY',
    fill: { 'customer.firstName': 'Ana', 'customer.lastName': 'Rojas', 'customer.email': 'ana@example.com' },
    async elsewhere(page) {
      await page.waitForURL(/\/sandbox\/bank\//)
      await page.getByRole('button', { name: 'Approve' }).click()
    },
  },
  {
    name: 'card',
    currency: 'CLP',
    total: '24990',
    rail: 'CARD',
    fill: {},
    async elsewhere(page) {
      await page.waitForURL(/\/sandbox\/card\//)
      assert.equal(await page.locator('input:not([type=hidden])').count(), 0, 'a field on the page for cards')
      await page.getByRole('button', { name: 'Card that is approved' }).click()
    },
  },
  {
    name: 'wallet (Nequi)',
    currency: 'COP',
    total: '89900.00',
    rail: 'NEQUI',
    fill: { 'customer.phoneNumber': '3001234567', 'customer.email': 'ana@example.com' },
  },
]

async function payWith(flow: Flow, page: Page, session: Body): Promise<void> {
  const key = `${flow.rail}-${flow.currency}`
  const form = page.locator(`form:has(input[value="${key}"])`)
  for (const [path, value] of Object.entries(flow.fill)) await form.locator(`[name="${path}"]`).fill(value)
  assert.equal((await site.shop.read(session.id)).status, 'ATTEMPT', 'opening the page changed the session')
  await form.locator('button').click()
  if (flow.elsewhere) await flow.elsewhere(page)
  else {
    await page.waitForSelector('.wait')
    await flow.instructions?.(page)
    await site.t.advance(1_500)
  }
}

for (const [language, words] of Object.entries(languages)) {
  describe(`in ${words.languageName}`, () => {
    for (const flow of flows) {
      test(`${flow.name}: paid, with a receipt and the way back to the shop`, async () => {
        const session = await site.session(flow.currency, flow.total, [flow.rail])
        const page = await site.visit(session.url, { locale: language })
        assert.equal(await page.locator('html').getAttribute('lang'), language)
        await payWith(flow, page, session)
        await page.getByRole('heading', { name: words.paidTitle }).waitFor()
        assert.equal((await site.shop.read(session.id)).status, 'FINISHED')
        const back = new URL((await page.locator('a.button').getAttribute('href')) ?? '')
        assert.equal(back.origin + back.pathname, 'https://shop.example/ok')
        assert.deepEqual(Object.fromEntries(back.searchParams), { checkoutSessionId: session.id, status: 'FINISHED' })
        assert.match(await page.locator('dl').innerText(), /pay_\w{26}/)
        await page.context().close()
      })
    }
  })
}

describe('with JavaScript off', () => {
  for (const flow of flows) {
    test(`${flow.name}: paid`, async () => {
      const session = await site.session(flow.currency, flow.total, [flow.rail])
      const page = await site.visit(session.url, { javaScriptEnabled: false, locale: 'es-CL' })
      await payWith(flow, page, session)
      // The page refreshes itself every three seconds.
      await page.getByRole('heading', { name: languages.es.paidTitle }).waitFor()
      await page.context().close()
    })
  }
})

test('the page turns to paid within a second of the outcome', async () => {
  const customer = { firstName: 'Ana', lastName: 'Souza', email: 'ana@example.com', documentNumber: '52998224725' }
  const session = await site.session('BRL', '10.00', ['PIX'], { customer })
  const page = await site.visit(session.url)
  await page.locator('form button').click()
  await page.waitForSelector('[data-screen="qr"]')
  await page.evaluate(() => 0)
  await site.t.advance(1_500)
  const since = performance.now()
  await page.waitForSelector('[data-screen="paid"]')
  assert.ok(performance.now() - since < 1_000, `${Math.round(performance.now() - since)} ms`)
  await page.context().close()
})

test('the language is switched by a link, kept in the address through a payment, and known after the bank', async () => {
  const customer = { firstName: 'Ana', lastName: 'Rojas', email: 'ana@example.com' }
  const session = await site.session('CLP', '24990', ['WEBPAY'], { customer })
  const page = await site.visit(session.url, { locale: 'es-CL' })
  await page.getByRole('link', { name: 'Português' }).click()
  await page.waitForURL(/lang=pt/)
  await page.locator('form button').click()
  await page.waitForURL(/\/sandbox\/bank\//)
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: languages.pt.paidTitle }).waitFor()
  assert.match(page.url(), /lang=pt/)
  await page.context().close()
})
