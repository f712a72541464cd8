/** Every screen: readable by everybody (axe, WCAG 2.2 AA), on every width, small, and asking nobody else for anything. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { scriptPath } from '../../src/checkout-page/script.ts'
import { rails } from '../../src/rails/index.ts'
import { ok } from '../shop.ts'
import { scenes } from './scenes.ts'
import { type Site, startSite } from './site.ts'

type Violation = { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let site: Site
before(async () => {
  site = await startSite()
  await ok(site.t.client, 'PATCH', '/organizations/default/brand', {
    displayName: 'Tienda Andina',
    contactEmail: 'ayuda@andina.example',
    contactPhone: '+56 2 2345 6789',
  })
})
after(() => site.close())

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations: found } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: Violation[]
  }
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html} ${node.failureSummary}`),
  )
}

describe('every screen', () => {
  for (const [name, scene] of Object.entries(scenes)) {
    test(`${name}: axe finds nothing by day and night, 320 px are enough, nothing is asked of others`, async () => {
      const foreign: string[] = []
      const page = await scene(site, async (url) => {
        // The script is evaluated by the test, which the page's own policy would forbid.
        const opened = await site.visit('about:blank', { bypassCSP: true })
        opened.on('request', (request) => {
          if (!request.url().startsWith(site.origin)) foreign.push(request.url())
        })
        await opened.goto(url)
        return opened
      })
      assert.deepEqual(await violations(page), [])
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
      assert.deepEqual(await violations(page), [])
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 800 })
        const wide = await page.evaluate('document.documentElement.scrollWidth')
        assert.ok((wide as number) <= width, `${wide} px wide on ${width} px`)
      }
      assert.deepEqual(foreign, [])
      await page.context().close()
    })
  }
})

test('a page is used by keyboard alone: methods open, fields and buttons follow in order, the focus is seen', async () => {
  const session = await site.session('BRL', '19.90', ['PIX', 'CARD'])
  const page = await site.visit(session.url)
  await page.locator('summary:has-text("Pix")').focus()
  await page.keyboard.press('Enter')
  for (const text of ['Ana', 'Souza', 'ana@example.com', '52998224725']) {
    await page.keyboard.press('Tab')
    assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none')
    await page.keyboard.type(text)
  }
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-screen="qr"]')
  await page.context().close()
})

test('the script helps: it copies, counts down and writes numbers as people do', async () => {
  const session = await site.session('CLP', '24990', ['FINTOC'], { customerRequirements: ['documentNumber'] })
  const form = await site.visit(session.url)
  const rut = form.locator('[name="customer.documentNumber"]')
  await rut.pressSequentially('123456785')
  assert.equal(await rut.inputValue(), '12.345.678-5')
  await form.locator('[data-left]', { hasText: /^59:5\d$/ }).waitFor()
  await form.context().close()

  const page = await scenes.transfer?.(site, (url) =>
    site.visit(url, { permissions: ['clipboard-read', 'clipboard-write'] }),
  )
  assert.ok(page)
  await page.getByRole('button', { name: 'Copiar: CLABE' }).click()
  await page.getByText('Copiado').first().waitFor()
  assert.match(String(await page.evaluate('navigator.clipboard.readText()')), /^\d{18}$/)
  await page.context().close()
})

describe('size', () => {
  /** Bytes of an answer as they go over the wire. */
  async function bytes(url: string, encoding: string): Promise<number> {
    const { rawPayload }: { rawPayload: Buffer } = await site.t.app.inject({
      url,
      headers: { 'accept-encoding': encoding },
    })
    return rawPayload.length
  }

  test('the fullest page is at most 14 KB in its first answer, and 30 KB with script and logo', async () => {
    const logo = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(12_288 - 8, 1)])
    const put = { contentType: 'image/png', data: logo.toString('base64') }
    const { brand } = await ok(site.t.client, 'PUT', '/organizations/default/brand/logo', put)
    const logoBytes = await bytes(new URL(brand.logoUrl).pathname, 'br')
    assert.equal(logoBytes, 12_288)
    const colombian = rails.filter((rail) => 'COP' in rail.currencies).map((rail) => rail.type)
    const session = await site.session('COP', '890000.00', colombian, {
      items: Array.from({ length: 10 }, (_, i) => ({
        description: `Producto número ${i + 1} de una compra grande, con un nombre largo`,
        preTaxAmount: '74789.92',
        totalAmount: '89000.00',
        tax: { name: 'IVA', type: 'PERCENTAGE', value: '19', amount: '14210.08' },
      })),
      customerRequirements: [
        'firstName',
        'lastName',
        'email',
        'phoneNumber',
        'documentType',
        'documentNumber',
        'address',
      ],
    })
    const path = new URL(session.url).pathname
    for (const encoding of ['br', 'gzip']) {
      const first = await bytes(path, encoding)
      const all: number = first + (await bytes(scriptPath, encoding)) + logoBytes
      console.log(`${encoding}: first answer ${first} bytes, everything ${all}`)
      assert.ok(first <= 14 * 1024, `${encoding}: ${first} bytes`)
      assert.ok(all <= 30 * 1024, `${encoding}: ${all} bytes in all`)
    }
    await ok(site.t.client, 'DELETE', '/organizations/default/brand/logo')
  })
})
