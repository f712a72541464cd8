/** The only thing a use case throws on purpose: a refusal from the table, with what was wrong and where. */
import { type ProblemKey, problems } from '../vocabulary/problems.ts'

/** One offending place: a JSON pointer into the body (RFC 6901; empty: the whole of it), or `/query/name`, `/headers/name`. */
export type Fault = { pointer: string; detail: string }

/** A field name as part of a JSON pointer (RFC 6901 section 3). */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** A refusal does not grow with what was sent: so many faults of so many bytes of JSON, and names cut to this length. */
const faultsMax = 20
const faultsBytesMax = 9_000
const nameLengthMax = 120
const faultDetailLengthMax = 1_000
const detailBytesMax = 3_000

/** A name that a caller sent (a field, a path), short enough to be repeated in an answer or in the log. */
export function shortName(name: string, lengthMax = nameLengthMax): string {
  return name.length > lengthMax ? `${name.slice(0, lengthMax).toWellFormed()}…` : name
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

function shortDetail(detail: string): string {
  // No character takes more than six bytes as JSON.
  return jsonBytes(detail) > detailBytesMax ? shortName(detail, detailBytesMax / 6) : detail
}

/** The first faults, as many as an answer may hold. */
function firstFaults(faults: Fault[]): Fault[] {
  let bytes = 0
  return faults
    .slice(0, faultsMax)
    .map(({ pointer, detail }) => ({ pointer: shortName(pointer), detail: shortName(detail, faultDetailLengthMax) }))
    .filter((fault) => {
      bytes += jsonBytes(fault)
      return bytes <= faultsBytesMax
    })
}

export class Problem extends Error {
  readonly key: ProblemKey
  readonly errors: Fault[] | undefined
  readonly resourceId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(key: ProblemKey, detail: string, more: ProblemExtras = {}) {
    super(shortDetail(detail))
    this.key = key
    this.errors = more.errors && firstFaults(more.errors)
    this.resourceId = more.resourceId
    this.retryAfterSeconds = more.retryAfterSeconds
  }

  get status(): number {
    return problems[this.key].status
  }
}

export type ProblemExtras = { errors?: Fault[]; resourceId?: string; retryAfterSeconds?: number }

/** Makes a refusal; throw it. `detail` is for the person who reads it: what was wrong and what to do. */
export function problem(key: ProblemKey, detail: string, more?: ProblemExtras): Problem {
  return new Problem(key, detail, more)
}

/** Collects faults so that a caller hears of all of them at once; `throwIfAny` ends the collecting. */
export class Faults {
  readonly list: Fault[] = []
  #missingOnly = true

  add(pointer: string, detail: string): void {
    this.#missingOnly = false
    this.list.push({ pointer, detail })
  }

  addMissing(pointer: string, detail = 'is required'): void {
    this.list.push({ pointer, detail })
  }

  /** Throws `missingParam` when every fault is an absence, else `invalidParam`. */
  throwIfAny(): void {
    if (this.list.length === 0) return
    throw problem(this.#missingOnly ? 'missingParam' : 'invalidParam', describeFaults(this.list), { errors: this.list })
  }
}

/** The faults as one sentence for `detail`. */
export function describeFaults(faults: Fault[]): string {
  const shown = faults.slice(0, 5).map((f) => `${shortName(f.pointer) || 'the body'} ${f.detail}`)
  const rest = faults.length - shown.length
  return rest > 0 ? `${shown.join('; ')}; and ${rest} more` : shown.join('; ')
}

/** The body of every non-2xx answer: one shape that satisfies all published readers (contract section 7.1). */
export function problemBody(refusal: Problem, traceId: string) {
  const { code, status } = problems[refusal.key]
  return {
    status,
    code,
    type: refusal.key,
    detail: refusal.message,
    traceId,
    statusCode: status,
    error: refusal.key,
    message: refusal.message,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
    ...(refusal.resourceId ? { resourceId: refusal.resourceId } : {}),
  }
}
