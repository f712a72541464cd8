/** Every screen, brought about as payers and merchants bring it about, and photographed. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ok } from '../shop.ts'
import { offerOf, type Site, startSite } from './site.ts'

/** Opens a screen; the page is closed afterwards. */
type Scene = (site: Site, open: (url: string) => Promise<Page>) => Promise<Page>

const payer = { firstName: 'Ana', lastName: 'Souza', email: 'ana+silent@example.com' }
const brazilian = { ...payer, documentType: 'CPF', documentNumber: '52998224725' }

const items = [
  {
    description: 'Café de especialidad, 1 kg',
    preTaxAmount: '16800',
    totalAmount: '19992',
    tax: { name: 'IVA', type: 'PERCENTAGE', value: '19', amount: '3192' },
  },
  {
    description: 'Filtros de papel, caja de 100',
    preTaxAmount: '4200',
    totalAmount: '4998',
    tax: { name: 'IVA', type: 'PERCENTAGE', value: '19', amount: '798' },
  },
]

const chile = (site: Site, change: Record<string, unknown> = {}) =>
  site.session('CLP', '24990', ['CARD', 'CRYPTO', 'PIX', 'ETPAY', 'FINTOC', 'WEBPAY'], { items, ...change })

async function choose(page: Page, method: string): Promise<void> {
  const form = page.locator(`details:has(input[value="${method}"])`)
  if ((await form.getAttribute('open')) === null) await form.locator('summary').click()
}

async function pay(page: Page, method: string): Promise<void> {
  await choose(page, method)
  await page.locator(`form:has(input[value="${method}"]) button.button`).click()
  await page.waitForLoadState()
}

export const scenes: Readonly<Record<string, Scene>> = {
  choose: async (site, open) => open((await chile(site)).url),
  details: async (site, open) => {
    const page = await open((await chile(site)).url)
    await choose(page, 'WEBPAY-CLP')
    return page
  },
  converted: async (site, open) => {
    const page = await open((await chile(site)).url)
    await choose(page, 'PIX-BRL')
    return page
  },
  errors: async (site, open) => {
    const { url } = await site.session('COP', '89900.00', ['PSE', 'NEQUI', 'CARD'])
    const page = await open(url)
    await choose(page, 'PSE-COP')
    await page.fill('[id="PSE-COP-customer.firstName"]', 'Ana')
    await page.fill('[id="PSE-COP-customer.email"]', 'ana@example')
    await page.fill('[id="PSE-COP-customer.phoneNumber"]', '12')
    await page.click('form:has(input[value="PSE-COP"]) button.button')
    await page.waitForSelector('[aria-invalid]')
    return page
  },
  requirements: async (site, open) =>
    open(
      (
        await site.session('CLP', '24990', ['FINTOC'], {
          items,
          customerRequirements: ['firstName', 'phoneNumber', 'documentNumber', 'documentType', 'address'],
        })
      ).url,
    ),
  qr: async (site, open) => {
    const page = await open((await site.session('BRL', '119.90', ['PIX'], { customer: brazilian })).url)
    await pay(page, 'PIX-BRL')
    await page.waitForSelector('[data-screen="qr"]')
    return page
  },
  transfer: async (site, open) => {
    const page = await open((await site.session('MXN', '1249.50', ['SPEI'], { customer: payer })).url)
    await pay(page, 'SPEI-MXN')
    await page.waitForSelector('[data-screen="transfer"]')
    return page
  },
  crypto: async (site, open) => {
    const page = await open(
      (await site.session('CLP', '24990', ['CRYPTO'], { items, metadata: { scenario: 'silent' } })).url,
    )
    await pay(page, 'CRYPTO-USDC')
    await page.waitForSelector('[data-screen="transfer"]')
    return page
  },
  bank: async (site, open) => {
    const session = await chile(site, { customer: payer })
    const page = await open(session.url)
    await pay(page, 'WEBPAY-CLP')
    await page.waitForURL(/sandbox\/bank/)
    await page.goto(session.url)
    return page
  },
  'sandbox-bank': async (site, open) => {
    const page = await open((await chile(site, { customer: payer })).url)
    await pay(page, 'WEBPAY-CLP')
    await page.waitForURL(/sandbox\/bank/)
    return page
  },
  'sandbox-card': async (site, open) => {
    const page = await open((await chile(site)).url)
    await pay(page, 'CARD-CLP')
    await page.waitForURL(/sandbox\/card/)
    return page
  },
  wallet: async (site, open) => {
    const customer = { ...payer, phoneNumber: '3001234567', phoneNumberPrefix: '+57' }
    const page = await open((await site.session('COP', '89900.00', ['NEQUI'], { customer })).url)
    await pay(page, 'NEQUI-COP')
    await page.waitForSelector('[data-screen="wallet"]')
    return page
  },
  declined: async (site, open) => {
    const page = await open((await chile(site)).url)
    await pay(page, 'CARD-CLP')
    await page.waitForURL(/sandbox\/card/)
    await page.click('form:has([value="tok_sandbox_declined"]) button')
    await page.waitForSelector('.notice')
    return page
  },
  held: async (site, open) => {
    const { url } = await site.session('BRL', '119.90', ['PIX'], {
      customer: { ...brazilian, email: 'ana+wrong_amount@example.com' },
    })
    const page = await open(url)
    await pay(page, 'PIX-BRL')
    await site.t.advance(1_500)
    await page.waitForSelector('[data-screen="held"]')
    return page
  },
  authorized: async (site, open) => {
    const page = await open((await chile(site)).url)
    await pay(page, 'CARD-CLP')
    await page.waitForURL(/sandbox\/card/)
    await page.click('form:has([value="tok_sandbox_manual"]) button')
    await page.waitForSelector('[data-screen="authorized"]')
    return page
  },
  paid: async (site, open) => {
    const page = await open((await chile(site)).url)
    await pay(page, 'CARD-CLP')
    await page.waitForURL(/sandbox\/card/)
    await page.click('form:has([value="tok_sandbox_approved"]) button')
    await page.waitForSelector('[data-screen="paid"]')
    return page
  },
  stale: async (site, open) => {
    const { url } = await chile(site)
    await site.t.advance(16 * 60_000)
    const page = await open(url)
    await page.locator('details:has-text("Pix") > summary').last().click()
    return page
  },
  expired: async (site, open) => {
    const { url } = await site.session('BRL', '119.90', ['PIX'], { duration: 60 })
    await site.t.advance(61_000)
    return open(url)
  },
  link: async (site, open) => {
    const body = offerOf(site.shop, 'PEN', '149.90', ['LIGO', 'CARD'], { active: true, duration: 3600 })
    return open((await ok(site.t.client, 'POST', '/payment-links', body)).url)
  },
  'link-inactive': async (site, open) => {
    const body = offerOf(site.shop, 'PEN', '149.90', ['LIGO', 'CARD'], { duration: 3600 })
    return open((await ok(site.t.client, 'POST', '/payment-links', body)).url)
  },
  branded: async (site, open) => {
    const { identityId } = site.shop
    await ok(site.t.client, 'PATCH', `/organizations/${identityId}/brand`, {
      displayName: 'Flor de Sal',
      primaryColor: '#B8336A',
      backgroundColor: '#FFF9F5',
      borderRadius: 'pill',
      baseFontSize: 'relaxed',
      headingFontFamily: 'Georgia',
      contactEmail: 'hola@flordesal.example',
    })
    const { url } = await chile(site)
    const page = await open(url)
    await choose(page, 'WEBPAY-CLP')
    await ok(site.t.client, 'DELETE', `/organizations/${identityId}/brand`)
    return page
  },
  failed: async (site, open) => {
    const { url, id } = await site.session('BRL', '119.90', ['PIX'], {
      customer: { ...brazilian, email: 'a+declined@example.com' },
    })
    const page = await open(url)
    for (let attempt = 0; attempt < 10; attempt++) {
      await site.t.advance(20_000)
      await page.goto(url)
      await page.locator('form button').last().click()
      await page.waitForSelector('[data-screen="qr"]')
      await site.t.advance(1_500)
      if ((await site.shop.read(id)).status === 'FAILED') break
    }
    await page.goto(url)
    await page.waitForSelector('[data-screen="failed"]')
    return page
  },
  leaving: async (site, open) => {
    // A bank that answers with nothing leaves the page in sight that leads there.
    const page = await open('about:blank')
    await page.route('**/sandbox/bank/**', (route) => route.fulfill({ status: 204 }))
    await page.goto((await chile(site, { customer: payer })).url)
    await choose(page, 'WEBPAY-CLP')
    await page.locator('form:has(input[value="WEBPAY-CLP"]) button.button').click()
    await page.waitForSelector('a.button')
    return page
  },
  'not-found': async (site, open) => open(`${site.origin}/pay/1-AAAAAAAAAAAAAAAAAAAAAA`),
}

const widths = { phone: 390, desktop: 1280 } as const

/** Photographs the scenes whose names contain `only`, in daylight at both widths and on the phone in the dark. */
export async function takeScreenshots(folder: string, only = ''): Promise<string[]> {
  const site = await startSite()
  const names: string[] = []
  try {
    await ok(site.t.client, 'PATCH', '/organizations/default/brand', {
      displayName: 'Tienda Andina',
      clientName: 'Tienda Andina SpA',
      contactEmail: 'ayuda@andina.example',
      contactPhone: '+56 2 2345 6789',
    })
    for (const [name, scene] of Object.entries(scenes)) {
      if (!name.includes(only)) continue
      const page = await scene(site, (url) => site.visit(url))
      for (const [width, pixels] of Object.entries(widths)) {
        await page.setViewportSize({ width: pixels, height: width === 'phone' ? 844 : 860 })
        await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true })
        names.push(`${name}-${width}`)
      }
      await page.setViewportSize({ width: 390, height: 844 })
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.screenshot({ path: join(folder, `${name}-dark.png`), fullPage: true })
      names.push(`${name}-dark`)
      await page.context().close()
    }
    return names
  } finally {
    await site.close()
  }
}
