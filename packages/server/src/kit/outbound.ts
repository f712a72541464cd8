/**
 * Requests to addresses that others chose. They reach public addresses alone: every address is judged when it is resolved,
 * and the connection is made to the one that was judged. Redirects are not followed, answers are cut, all of it has an end.
 */
import { lookup as systemLookup } from 'node:dns'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

export type OutboundLimits = { timeoutMs: number; answerBytes: number }

export type OutboundRequest = {
  url: string
  body: string
  headers: Record<string, string>
  /** This machine too: for sandbox merchants, who develop on it. */
  allowLoopback: boolean
}

/** What came of it. `error` is a short word for people, without any address; a status may come with one. */
export type OutboundResult = { status: number | undefined; error: string | undefined; durationMs: number }

export type Outbound = { post(request: OutboundRequest): Promise<OutboundResult>; close(): void }

const refused = 'address_not_allowed'

/** Whether an address may be spoken to: public unicast, or this machine where that is allowed. */
export function isAllowedAddress(address: string, allowLoopback: boolean): boolean {
  if (isIP(address) === 0) return false
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range === 'loopback') return allowLoopback
  // What of IPv6 is not global unicast (2000::/3) is translated, local or not yet given out.
  if (parsed.kind() === 'ipv6' && ((parsed.toByteArray()[0] ?? 0) & 0xe0) !== 0x20) return false
  return range === 'unicast'
}

/** Whether a URL can be spoken to at all, as far as its text tells; names are judged when they are resolved. */
export function isAllowedUrl(url: URL, allowLoopback: boolean): boolean {
  const host = hostOf(url)
  if (isIP(host) !== 0) return isAllowedAddress(host, allowLoopback)
  const local = host === 'localhost' || host.endsWith('.localhost')
  return allowLoopback || !local
}

/** A name as the sockets take it: IPv6 without its brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/** A resolver that answers with judged addresses alone. `resolve` is the system's; tests bring their own. */
function guardedLookup(allowLoopback: boolean, resolve: typeof systemLookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const addresses = (found ?? []).filter(({ address }) => isAllowedAddress(address, allowLoopback))
      const [first] = addresses
      if (error) return done(error, '', 4)
      if (!first) return done(Object.assign(new Error(refused), { code: refused }), '', 4)
      return options.all ? done(null, addresses) : done(null, first.address, first.family)
    })
  }
}

/** Opens a client with connections of its own; close it at the end. */
export function openOutbound(bounds: OutboundLimits, resolve: typeof systemLookup = systemLookup): Outbound {
  // A connection that may lead to this machine is never taken for one that may not.
  const agentsFor = (allowLoopback: boolean) => {
    const options = {
      keepAlive: true,
      maxFreeSockets: 64,
      timeout: 60_000,
      lookup: guardedLookup(allowLoopback, resolve),
    }
    return { http: new HttpAgent(options), https: new HttpsAgent(options) }
  }
  const agents = { any: agentsFor(true), public: agentsFor(false) }
  return {
    post: (request) => post(request, agents[request.allowLoopback ? 'any' : 'public'], bounds),
    close: () => {
      for (const { http, https } of Object.values(agents)) {
        http.destroy()
        https.destroy()
      }
    },
  }
}

async function post(
  { url: text, body, headers, allowLoopback }: OutboundRequest,
  agents: { http: HttpAgent; https: HttpsAgent },
  { timeoutMs, answerBytes }: OutboundLimits,
): Promise<OutboundResult> {
  const startedMs = performance.now()
  const took = () => Math.round(performance.now() - startedMs)
  const url = URL.parse(text)
  if (!url || !isAllowedUrl(url, allowLoopback)) return { status: undefined, error: refused, durationMs: took() }
  const secure = url.protocol === 'https:'
  // Not AbortSignal.timeout: its timer was seen to be collected together with the signal, and then nothing ends the wait.
  const stopping = new AbortController()
  const { signal } = stopping
  const timer = setTimeout(() => stopping.abort(), timeoutMs)
  const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal }
  let status: number | undefined
  try {
    const answer = await send(
      (resolve) =>
        secure
          ? httpsRequest(url, { ...options, agent: agents.https }, resolve)
          : httpRequest(url, { ...options, agent: agents.http }, resolve),
      body,
    )
    status = answer.statusCode
    await readAway(answer, answerBytes)
    return { status, error: undefined, durationMs: took() }
  } catch (error) {
    return { status, error: signal.aborted ? 'timeout' : wordFor(error), durationMs: took() }
  } finally {
    clearTimeout(timer)
  }
}

const reusesMax = 3

/** Sends and waits for the head of the answer. A kept connection that the other side had closed meanwhile says nothing of it. */
function send(
  open: (resolve: (answer: IncomingMessage) => void) => ClientRequest,
  body: string,
  reuses = 0,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = open(resolve)
    sent.on('error', (error) => {
      const stale = sent.reusedSocket && (error as { code?: unknown }).code === 'ECONNRESET' && reuses < reusesMax
      if (stale) resolve(send(open, body, reuses + 1))
      else reject(error)
    })
    sent.end(body)
  })
}

/** Reads an answer to its end, or up to the cap; what is behind it is cut off with the connection. */
async function readAway(answer: IncomingMessage, most: number): Promise<void> {
  let bytes = 0
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length
    if (bytes > most) break
  }
}

/** Errors of sockets name hosts and addresses; what is kept and shown is their code. */
function wordFor(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'connection_failed'
}
