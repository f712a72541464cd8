/** The brand endpoints (contract section 10.8), and the logos as files. */
import Type from 'typebox'
import type { Context } from '../kit/context.ts'
import { type App, named, operation } from '../kit/operation.ts'
import { problem } from '../kit/problem.ts'
import { changeBrand, readBrand, readLogo, removeBrand, removeLogo, setLogo } from './manage.ts'
import { BrandAnswer, brandSchemas, ChangeBrand, PutLogo } from './schema.ts'

const tag = 'Brands'
const ById = Type.Object({
  orgId: Type.String({ description: 'Id of the identity, or `default` for all pages of the merchant.' }),
})
const brand = {
  displayName: 'Tienda Andina',
  clientName: 'Tienda Andina SpA',
  primaryColor: '#0f5c4d',
  contactEmail: 'ayuda@andina.example',
  updatedAt: '2026-01-05T12:00:00.000Z',
}
const logoUrl = 'https://pay.example.com/brand-logos/1-Zk3vX0m1b2n3v4c5x6z7aQ'

const read = operation({
  operationId: 'getBrand',
  tag,
  summary: 'Read the brand of the hosted pages',
  params: ById,
  answers: { 200: named(BrandAnswer) },
  example: { answer: { brand } },
})
const change = operation({
  operationId: 'updateBrand',
  tag,
  summary: 'Set the brand of the hosted pages',
  description:
    'Changes what is given and leaves the rest; null goes back to the default. Children of the identity inherit it. Colours that people could not read (WCAG 2.2 AA) are refused; in dark mode the page lightens what needs it.',
  params: ById,
  body: named(ChangeBrand),
  answers: { 200: named(BrandAnswer) },
  refusals: ['failedPrecondition'],
  example: { request: { displayName: 'Tienda Andina', primaryColor: '#0f5c4d' }, answer: { brand } },
})
const remove = operation({
  operationId: 'deleteBrand',
  tag,
  summary: 'Remove the brand of the hosted pages',
  params: ById,
  answers: { 204: Type.Null() },
})
const putLogo = operation({
  operationId: 'setBrandLogo',
  tag,
  summary: 'Set the logo',
  description:
    'Ours. PNG, JPEG or WebP of at most 12 KB: a payer’s whole page stays below 30 KB, and it is served from here.',
  params: ById,
  body: named(PutLogo),
  answers: { 200: named(BrandAnswer) },
  example: {
    request: { contentType: 'image/png', data: 'iVBORw0KGgo=' },
    answer: { brand: { ...brand, logoUrl } },
  },
})
const deleteLogo = operation({
  operationId: 'deleteBrandLogo',
  tag,
  summary: 'Remove the logo',
  params: ById,
  answers: { 204: Type.Null() },
})

export function brandRoutes(app: App, ctx: Context): void {
  for (const schema of brandSchemas) app.addSchema(schema)

  app.get('/organizations/:orgId/brand', { schema: read }, async ({ caller, params }) => ({
    brand: await readBrand(ctx, caller, params.orgId),
  }))
  app.patch('/organizations/:orgId/brand', { schema: change }, async ({ caller, params, body }) => ({
    brand: await changeBrand(ctx, caller, params.orgId, body),
  }))
  app.delete('/organizations/:orgId/brand', { schema: remove }, async ({ caller, params }, reply) => {
    await removeBrand(ctx, caller, params.orgId)
    return reply.code(204).send(null)
  })
  app.put('/organizations/:orgId/brand/logo', { schema: putLogo }, async ({ caller, params, body }) => ({
    brand: await setLogo(ctx, caller, params.orgId, body),
  }))
  app.delete('/organizations/:orgId/brand/logo', { schema: deleteLogo }, async ({ caller, params }, reply) => {
    await removeLogo(ctx, caller, params.orgId)
    return reply.code(204).send(null)
  })
  app.get('/brand-logos/:name', { schema: { hide: true }, config: { access: 'open' } }, async (request, reply) => {
    const logo = await readLogo(ctx, (request.params as { name: string }).name)
    if (!logo) throw problem('notFound', 'There is no such logo.')
    return reply
      .headers({
        'content-type': logo.type,
        'cache-control': 'public, max-age=31536000, immutable',
        'content-security-policy': "default-src 'none'",
        'x-content-type-options': 'nosniff',
      })
      .send(Buffer.from(logo.content))
  })
}
