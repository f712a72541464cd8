/** The only thing a use case throws on purpose: a refusal from the table, with what was wrong and where. */
import { type ProblemKey, problems } from '../vocabulary/problems.ts'

/** One offending place: a JSON pointer into the body (RFC 6901; empty: the whole of it), or `/query/name`, `/headers/name`. */
export type Fault = { pointer: string; detail: string }

/** A field name as part of a JSON pointer (RFC 6901 section 3). */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

export class Problem extends Error {
  readonly key: ProblemKey
  readonly errors: Fault[] | undefined
  readonly resourceId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(key: ProblemKey, detail: string, more: ProblemExtras = {}) {
    super(detail)
    this.key = key
    this.errors = more.errors
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
  const shown = faults.slice(0, 5).map((f) => `${f.pointer || 'the body'} ${f.detail}`)
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
