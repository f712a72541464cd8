/** Brands, through HTTP: set, inherited, refused where people could not read them, worn by the pages. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Body, startTestApp, type TestApp } from '../../test/harness.ts'
import { makeShop, ok, type Shop } from '../../test/shop.ts'

let t: TestApp
let shop: Shop
before(async () => {
  t = await startTestApp()
  shop = await makeShop(t.client, ['BRL'])
})
after(() => t.close())

const path = (organization: string) => `/organizations/${organization}/brand`
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const pageOf = async (session: Body) => (await t.app.inject({ url: new URL(session.url).pathname })).body

describe('the brand of an organization', () => {
  test('200: null at first, then what was set; null in a change goes back to the default; 204 takes it away', async () => {
    assert.deepEqual(await ok(t.client, 'GET', path(shop.identityId)), { brand: null })
    const set = {
      displayName: 'Loja Bonita',
      primaryColor: '#0B5FFF',
      borderRadius: 'lg',
      contactEmail: 'oi@loja.example',
    }
    const { brand } = await ok(t.client, 'PATCH', path(shop.identityId), set)
    const { updatedAt, ...rest } = brand
    assert.deepEqual(rest, { ...set, clientName: 'Loja Bonita' })
    assert.ok(Date.parse(updatedAt) > 0)
    const changed = await ok(t.client, 'PATCH', path(shop.identityId), { displayName: null, clientName: 'Loja Ltda' })
    assert.equal(changed.brand.displayName, 'Loja Demo')
    assert.equal(changed.brand.clientName, 'Loja Ltda')
    assert.equal(changed.brand.primaryColor, '#0B5FFF')
    assert.equal((await t.client.call('DELETE', path(shop.identityId))).status, 204)
    assert.deepEqual(await ok(t.client, 'GET', path(shop.identityId)), { brand: null })
  })

  test('404 for an organization of another merchant, and for none', async () => {
    const other = await t.newMerchant()
    for (const call of ['GET', 'PATCH', 'DELETE']) {
      const body = call === 'PATCH' ? {} : undefined
      assert.equal((await other.call(call, path(shop.identityId), body)).status, 404)
      assert.equal((await t.client.call(call, path('nobody'), body)).status, 404)
    }
  })

  test('422 names every colour that people could not read, and nothing is set', async () => {
    const answer = await t.client.call('PATCH', path(shop.identityId), {
      primaryColor: '#FFFF66',
      textColor: '#999999',
      mutedColor: '#AAAAAA',
    })
    assert.equal(answer.status, 422)
    const places = new Set(answer.body.errors.map((e: Body) => e.pointer))
    assert.deepEqual([...places].sort(), ['/mutedColor', '/primaryColor', '/textColor'])
    assert.match(answer.body.detail, /contrast of [\d.]+:1; it needs/)
    assert.deepEqual(await ok(t.client, 'GET', path(shop.identityId)), { brand: null })
    const dark = { backgroundColor: '#101010', surfaceColor: '#202020' }
    assert.equal((await t.client.call('PATCH', path(shop.identityId), dark)).status, 422)
    const whole = { ...dark, textColor: '#F5F5F5', mutedColor: '#C0C0C0', primaryColor: '#8AB4F8' }
    assert.equal((await t.client.call('PATCH', path(shop.identityId), whole)).status, 200)
    await t.client.call('DELETE', path(shop.identityId))
  })

  test('400 for what is no colour, no font, no address, and for an unknown field', async () => {
    for (const wrong of [
      { primaryColor: 'red' },
      { primaryColor: '#12345' },
      { fontFamily: '"; } body { display: none' },
      { contactUrl: 'javascript:alert(1)' },
      { contactEmail: 'nobody' },
      { borderRadius: 'round' },
      { logoUrl: 'https://elsewhere.example/logo.png' },
    ]) {
      assert.equal((await t.client.call('PATCH', path('default'), wrong)).status, 400, JSON.stringify(wrong))
    }
  })
})

describe('the logo', () => {
  test('is served by us, under a name that is its content, and shown on the page', async () => {
    const { brand } = await ok(t.client, 'PUT', `${path('default')}/logo`, { contentType: 'image/png', data: pixel })
    const file = await t.app.inject({ url: new URL(brand.logoUrl).pathname })
    assert.equal(file.statusCode, 200)
    assert.equal(file.headers['content-type'], 'image/png')
    assert.match(String(file.headers['cache-control']), /immutable/)
    assert.deepEqual(file.rawPayload, Buffer.from(pixel, 'base64'))
    assert.ok((await pageOf(await shop.session())).includes(new URL(brand.logoUrl).pathname))
    assert.equal((await t.client.call('DELETE', `${path('default')}/logo`)).status, 204)
    assert.equal((await t.app.inject({ url: new URL(brand.logoUrl).pathname })).statusCode, 404)
    await t.client.call('DELETE', path('default'))
  })

  test('400 for what is not the image it says, or is over 12 KB', async () => {
    const svg = Buffer.from('<svg onload="alert(1)"/>').toString('base64')
    const large = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(12_281)]).toString('base64')
    for (const body of [
      { contentType: 'image/png', data: svg },
      { contentType: 'image/svg+xml', data: svg },
      { contentType: 'image/jpeg', data: pixel },
      { contentType: 'image/png', data: large },
    ]) {
      assert.equal((await t.client.call('PUT', `${path('default')}/logo`, body)).status, 400, body.contentType)
    }
  })
})

test('pages wear the owner’s brand, else its ancestors’, else the merchant’s, else the owner’s own name', async () => {
  const child = await ok(t.client, 'POST', '/identities', {
    name: 'Filial',
    email: 'filial@example.com',
    phone: '+56912345679',
    documentType: 'RUT',
    documentNumber: '76.192.083-9',
    type: 'ORGANIZATION',
    country: 'CHL',
    idv: false,
  })
  await ok(t.client, 'POST', `/identities/${shop.identityId}/children`, { children: [child.id] })
  const session = await shop.session({ owner: { identityId: child.id } })
  const title = async () => /<title>([^<]*)/.exec(await pageOf(session))?.[1]
  assert.equal(await title(), 'Pagar a Filial')
  await ok(t.client, 'PATCH', path('default'), { displayName: 'Casa' })
  assert.equal(await title(), 'Pagar a Casa')
  await ok(t.client, 'PATCH', path(shop.identityId), { displayName: 'Matriz', contactPhone: '+56 2 2345 6789' })
  assert.equal(await title(), 'Pagar a Matriz')
  await ok(t.client, 'PATCH', path(child.id), { displayName: 'Filial Bonita' })
  assert.equal(await title(), 'Pagar a Filial Bonita')
  await t.client.call('DELETE', path(child.id))
  const page = await pageOf(session)
  assert.match(page, /href="tel:\+56223456789"/)
})
