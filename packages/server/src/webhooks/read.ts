/** Reads endpoints and what became of their deliveries. */
import type { Caller } from '../access/caller.ts'
import type { Context } from '../kit/context.ts'
import { type PageQuery, paginationOf, readCommaList, readPage } from '../kit/page.ts'
import { problem } from '../kit/problem.ts'
import { limits } from '../vocabulary/limits.ts'
import * as deliveryStore from './delivery-store.ts'
import type { Delivery, Endpoint } from './endpoint.ts'
import type { DeliveryQuery } from './schema.ts'
import * as store from './store.ts'

/** Throws `notFound`. */
export async function readEndpoint(ctx: Context, { merchant }: Caller, id: string): Promise<Endpoint> {
  const endpoint = await store.findEndpointById(ctx.sql, merchant.id, id)
  if (!endpoint) throw problem('notFound', 'There is no such webhook endpoint.')
  return endpoint
}

export async function listEndpoints(ctx: Context, { merchant }: Caller, query: PageQuery) {
  const page = readPage(query, 'webhookEndpoint', merchant.timeZone)
  const { endpoints, total } = await store.listEndpoints(ctx.sql, merchant.id, page)
  return { endpoints, pagination: paginationOf(page, endpoints.length, total) }
}

/** An endpoint's deliveries, newest first; `next` where there may be more. Throws `notFound`. */
export async function listDeliveries(
  ctx: Context,
  caller: Caller,
  endpointId: string,
  query: DeliveryQuery,
): Promise<{ deliveries: Delivery[]; next: string | undefined }> {
  await readEndpoint(ctx, caller, endpointId)
  const { after, stream } = query
  const limit = query.limit ?? limits.pageSizeDefault
  const key = { merchantId: caller.merchant.id, endpointId }
  const status = readCommaList(query.status)
  const deliveries = await deliveryStore.listDeliveries(ctx.sql, key, { status, stream, after, limit })
  return { deliveries, next: deliveries.length === limit ? deliveries.at(-1)?.id : undefined }
}
