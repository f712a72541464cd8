/** What may go wrong between a payer and a payment, and the way on from it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { languages } from '../../src/checkout-page/words.ts'
import type { Body } from '../harness.ts'
import { ok } from '../shop.ts'
import { offerOf, type Site, startSite } from './site.ts'

let site: Site
before(async () => {
  site = await startSite()
})
after(() => site.close())

const { es } = languages
const ana = { firstName: 'Ana', lastName: 'Rojas', email: 'ana@example.com' }
const brazilian = { ...ana, documentType: 'CPF', documentNumber: '52998224725' }

const form = (page: Page, key: string) => page.locator(`form:has(input[name="method"][value="${key}"])`)

/** Opens the method's form if it is closed, and submits it. */
async function submit(page: Page, key: string): Promise<void> {
  const method = page.locator(`details:has(input[value="${key}"])`)
  if ((await method.getAttribute('open')) === null) await method.locator('summary').click()
  await form(page, key).locator('button').click()
}

const payments = async (session: Body): Promise<Body[]> =>
  (await ok(site.t.client, 'GET', `/payments?checkoutSessionId=${session.id}`)).results

/** The sessions of a link. */
const mintedBy = async (linkId: string): Promise<Body[]> =>
  (await ok(site.t.client, 'GET', '/checkout-sessions?limit=100')).results.filter(
    (session: Body) => session.paymentLinkId === linkId,
  )

describe('a payment that fails', () => {
  test('declined at the bank: the payer is told so and pays by card', async () => {
    const session = await site.session('CLP', '24990', ['WEBPAY', 'CARD'], { customer: ana })
    const page = await site.visit(session.url)
    await submit(page, 'WEBPAY-CLP')
    await page.getByRole('button', { name: 'Decline' }).click()
    await page.getByText(es.noticeDeclined).waitFor()
    await submit(page, 'CARD-CLP')
    await page.getByRole('button', { name: 'Card that is approved' }).click()
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    assert.deepEqual((await payments(session)).map((p) => p.status).sort(), ['CAPTURED', 'FAILED'])
    await page.context().close()
  })

  test('an open payment is cancelled and another method chosen', async () => {
    const session = await site.session('MXN', '120.00', ['SPEI', 'CARD'], { customer: ana })
    const page = await site.visit(session.url)
    await submit(page, 'SPEI-MXN')
    await page.waitForSelector('[data-screen="transfer"]')
    await page.getByRole('button', { name: es.otherMethod }).click()
    await page.getByText(es.noticeEnded).waitFor()
    await submit(page, 'CARD-MXN')
    await page.getByRole('button', { name: 'Card that is approved' }).click()
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    await page.context().close()
  })

  test('back from the bank without a decision: the way to the bank and the way out are still there', async () => {
    const session = await site.session('CLP', '24990', ['WEBPAY'], { customer: ana })
    const page = await site.visit(session.url)
    await submit(page, 'WEBPAY-CLP')
    await page.getByRole('link', { name: 'Go back without deciding' }).click()
    await page.waitForSelector('[data-screen="bank"]')
    await page.getByRole('link', { name: 'Ir a Webpay Plus' }).click()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    await page.context().close()
  })
})

describe('time', () => {
  test('an expired session is asked for again, with a POST, and paid at the same address', async () => {
    const session = await site.session('BRL', '19.90', ['PIX'], { duration: 60, customer: brazilian })
    await site.t.advance(61_000)
    const page = await site.visit(session.url)
    await page.getByRole('heading', { name: es.expiredTitle }).waitFor()
    await page.getByRole('button', { name: es.again }).click()
    await page.getByText(es.noticeRefreshed).waitFor()
    await submit(page, 'PIX-BRL')
    await page.waitForSelector('[data-screen="qr"]')
    await site.t.advance(1_500)
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    assert.equal((await site.shop.read(session.id)).status, 'EXPIRED', 'the old session stays what it was')
    await page.context().close()
  })

  test('three times, then the merchant is named instead', async () => {
    const session = await site.session('BRL', '19.90', ['PIX'], { duration: 60, customer: brazilian })
    const page = await site.visit(session.url)
    for (let round = 0; round < 3; round++) {
      await site.t.advance(61_000)
      await page.goto(session.url)
      await page.getByRole('button', { name: es.again }).click()
      await page.getByText(es.noticeRefreshed).waitFor()
    }
    await site.t.advance(61_000)
    await page.goto(session.url)
    await page.getByText(/Para seguir, pide un enlace nuevo/).waitFor()
    assert.equal(await page.getByRole('button', { name: es.again }).count(), 0)
    assert.match(await page.locator('footer').innerText(), /loja\d+@example\.com/)
    await page.context().close()
  })

  test('a dead quote shows no way to pay at it; the new price is seen first and then agreed to', async () => {
    const session = await site.session('CLP', '17050', ['PIX'], { customer: brazilian, duration: 7200 })
    const page = await site.visit(session.url)
    assert.match(await form(page, 'PIX-BRL').locator('button').innerText(), /Pagar R\$\s100,00/)
    await ok(site.t.client, 'PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '155' }] })
    await site.t.advance(16 * 60_000)
    // The price in this window is the old one: it is refused, not paid.
    await submit(page, 'PIX-BRL')
    await page.getByRole('button', { name: es.staleButton }).click()
    await page.getByText(es.noticeRefreshed).waitFor()
    assert.match(await form(page, 'PIX-BRL').locator('button').innerText(), /Pagar R\$\s110,00/)
    await submit(page, 'PIX-BRL')
    await page.waitForSelector('[data-screen="qr"]')
    assert.equal((await payments(session))[0]?.purchaseAmount, '110.00')
    await ok(site.t.client, 'PUT', '/exchange-rates', { rates: [{ product: 'BRL:CLP', exchangeRate: '170.5' }] })
    await page.context().close()
  })

  test('money that comes late finishes the order, and "I have paid" finds it', async () => {
    const customer = { ...brazilian, email: 'ana+late@example.com' }
    const session = await site.session('BRL', '19.90', ['PIX'], { customer, duration: 120 })
    const page = await site.visit(session.url)
    await submit(page, 'PIX-BRL')
    await page.waitForSelector('[data-screen="qr"]')
    await site.t.advance(121_000)
    await page.getByRole('heading', { name: es.expiredTitle }).waitFor()
    await page.getByText(es.alreadyPaid).click()
    await page.getByText('Si ya pagaste, no pagues otra vez').waitFor()
    await site.t.advance(5_000)
    await page.goto(session.url)
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    await page.context().close()
  })
})

describe('clicks and the back button', () => {
  test('two clicks are one payment', async () => {
    const session = await site.session('BRL', '19.90', ['PIX'], { customer: brazilian })
    const page = await site.visit(session.url)
    await form(page, 'PIX-BRL').locator('button').dblclick()
    await page.waitForSelector('[data-screen="qr"]')
    assert.equal((await payments(session)).length, 1)
    await page.context().close()
  })

  test('the same form sent twice at once, without the script, is one payment', async () => {
    const session = await site.session('BRL', '19.90', ['PIX'], { customer: brazilian })
    const path = new URL(session.url).pathname
    const send = () =>
      site.t.app.inject({
        method: 'POST',
        url: `${path}/pay`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: 'method=PIX-BRL&amount=19.90',
      })
    const answers = await Promise.all([send(), send(), send()])
    assert.deepEqual(
      answers.map((answer) => [answer.statusCode, answer.headers.location]),
      Array(3).fill([303, path]),
    )
    assert.equal((await payments(session)).length, 1)
  })

  test('two clicks on a link mint one session and make one payment', async () => {
    const body = offerOf(site.shop, 'BRL', '19.90', ['PIX'], { active: true, duration: 3600, customer: brazilian })
    const link = await ok(site.t.client, 'POST', '/payment-links', body)
    const page = await site.visit(link.url, { javaScriptEnabled: false })
    const path = new URL(link.url).pathname
    const once = (await page.locator('[name="once"]').first().getAttribute('value')) ?? ''
    const send = () =>
      site.t.app.inject({
        method: 'POST',
        url: `${path}/pay`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ method: 'PIX-BRL', amount: '19.90', once }).toString(),
      })
    const [first, second] = await Promise.all([send(), send()])
    assert.equal(first.headers.location, second.headers.location)
    const minted = await mintedBy(link.id)
    assert.equal(minted.length, 1)
    assert.equal((await payments(minted[0])).length, 1)
    await page.context().close()
  })

  test('back from the receipt, and from the bank, lands where things are', async () => {
    const session = await site.session('CLP', '24990', ['WEBPAY'], { customer: ana })
    const page = await site.visit(session.url)
    await submit(page, 'WEBPAY-CLP')
    await page.waitForURL(/\/sandbox\/bank\//)
    await page.goBack()
    await page.waitForSelector('[data-screen="bank"]')
    await page.getByRole('link', { name: 'Ir a Webpay Plus' }).click()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    await page.goBack()
    await page.waitForTimeout(100)
    await page.goto(session.url)
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    assert.equal((await payments(session)).length, 1)
    await page.context().close()
  })

  test('the shop is led to by itself, unless the payer stays', async () => {
    const session = await site.session('CLP', '24990', ['CARD'])
    const page = await site.visit(session.url)
    await submit(page, 'CARD-CLP')
    await page.getByRole('button', { name: 'Card that is approved' }).click()
    await page.getByText('Vuelves solo en').waitFor()
    await page.getByRole('button', { name: es.stay }).click()
    assert.equal(await page.getByText('Vuelves solo en').isVisible(), false)
    await page.context().close()
  })
})

describe('links', () => {
  const link = async (change: Record<string, unknown>) =>
    ok(site.t.client, 'POST', '/payment-links', offerOf(site.shop, 'BRL', '19.90', ['PIX'], change))

  test('acting on a link mints a session of its own, and the payer pays it', async () => {
    const { url, id } = await link({ active: true, duration: 3600 })
    const page = await site.visit(url)
    for (let visits = 0; visits < 5; visits++) await page.reload()
    assert.deepEqual(await mintedBy(id), [])
    const fields = form(page, 'PIX-BRL')
    await fields.locator('[name="customer.firstName"]').fill('Ana')
    await fields.locator('button').click()
    // What is missing is asked for on the session's own page, with what was written.
    await page.waitForURL(/\/pay\//)
    await page.waitForSelector('[aria-invalid]')
    assert.equal(await fields.locator('[name="customer.firstName"]').inputValue(), 'Ana')
    await fields.locator('[name="customer.lastName"]').fill('Souza')
    await fields.locator('[name="customer.email"]').fill('ana@example.com')
    await fields.locator('[name="customer.documentNumber"]').pressSequentially('52998224725')
    assert.equal(await fields.locator('[name="customer.documentNumber"]').inputValue(), '529.982.247-25')
    await fields.locator('button').click()
    await page.waitForSelector('[data-screen="qr"]')
    await site.t.advance(1_500)
    await page.getByRole('heading', { name: es.paidTitle }).waitFor()
    await page.context().close()
  })

  test('410 for a deactivated and an expired link, 404 for an unknown one: a page that says so', async () => {
    const inactive = await link({ duration: 3600 })
    const expired = await link({ active: true, duration: 60 })
    await site.t.advance(61_000)
    const pages: [url: string, status: number, title: string][] = [
      [inactive.url, 410, es.linkInactiveTitle],
      [expired.url, 410, es.linkExpiredTitle],
      [`${site.origin}/link/1-AAAAAAAAAAAAAAAAAAAAAA`, 404, es.notFoundTitle],
      [`${site.origin}/pay/nonsense`, 404, es.notFoundTitle],
    ]
    const page = await site.visit('about:blank')
    for (const [url, status, title] of pages) {
      const answer = await page.goto(url)
      assert.equal(answer?.status(), status, url)
      await page.getByRole('heading', { name: title }).waitFor()
    }
    await page.context().close()
  })
})

test('text of any kind is text: markup in item names, names and notes does nothing', async () => {
  const hostile = '<script>window.hit=1</script><img src=x onerror="window.hit=1">" onmouseover="window.hit=1'
  const session = await site.session('BRL', '19.90', ['PIX'], {
    items: [{ description: hostile, preTaxAmount: '19.90', totalAmount: '19.90' }],
    customer: { firstName: hostile.slice(0, 100) },
  })
  await ok(site.t.client, 'PATCH', '/organizations/default/brand', { displayName: '"><b>Loja</b> ¡!' })
  const page = await site.visit(session.url)
  assert.equal(await page.locator('.items li span').first().innerText(), hostile)
  await page.getByText('"><b>Loja</b> ¡!').first().waitFor()
  await form(page, 'PIX-BRL').locator('[name="customer.email"]').fill('"><script>window.hit=1</script>')
  await form(page, 'PIX-BRL').locator('button').click()
  await page.waitForSelector('[aria-invalid]')
  assert.equal(
    await form(page, 'PIX-BRL').locator('[name="customer.email"]').inputValue(),
    '"><script>window.hit=1</script>',
  )
  assert.equal(await page.evaluate('window.hit'), undefined)
  await ok(site.t.client, 'DELETE', '/organizations/default/brand')
  await page.context().close()
})

test('the bank may be on another origin: a form of ours still leads there and back', async () => {
  const session = await site.session('CLP', '24990', ['WEBPAY'], { customer: ana })
  // The same machine by another name is another site for a browser; the bank's address has the public one.
  const page = await site.visit(session.url.replace('127.0.0.1', 'localhost'))
  const refused: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) refused.push(message.text())
  })
  await submit(page, 'WEBPAY-CLP')
  await page.waitForURL(/^http:\/\/127\.0\.0\.1.*\/sandbox\/bank\//)
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: es.paidTitle }).waitFor()
  assert.deepEqual(refused, [])
  await page.context().close()
})
