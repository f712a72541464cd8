/** Requests that no route takes: 405 with `Allow` where the path is known by another method, else 404. Before any body is read. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../../kit/operation.ts'
import { type Problem, problem, shortName } from '../../kit/problem.ts'
import { listRoutes } from './openapi.ts'

type Known = { method: string; segments: string[] }

export function refuseUnrouted(app: App): void {
  let known: Known[] | undefined
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    known ??= listRoutes(app).map(({ method, url }) => ({ method, segments: segmentsOf(url) }))
    done(refusalOf(known, request, reply))
  })
}

function refusalOf(known: Known[], request: FastifyRequest, reply: FastifyReply): Problem {
  const path = request.url.split('?')[0] ?? ''
  const segments = segmentsOf(path).map(decoded)
  const methods = new Set(known.filter((route) => fits(route.segments, segments)).map(({ method }) => method))
  if (methods.size === 0)
    return problem('notFound', `There is no ${request.method} ${shortName(path)}; the operations are listed at /docs.`)
  const allow = [...methods].sort().join(', ')
  reply.header('allow', allow)
  return problem('methodNotAllowed', `${shortName(path)} does not take ${request.method}, only ${allow}.`)
}

function segmentsOf(path: string): string[] {
  return path.replace(/(?<=.)\/$/, '').split('/')
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function fits(route: string[], path: string[]): boolean {
  const rest = route.at(-1) === '*'
  if (rest ? path.length < route.length : path.length !== route.length) return false
  return route.every((segment, index) => segment === '*' || segment.startsWith(':') || segment === path[index])
}
