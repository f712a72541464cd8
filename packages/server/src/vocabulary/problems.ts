/** Every refusal a caller can meet: key → published code and type (contract section 7.2), HTTP status, what it means, whether to try again. */

export const problems = {
  serverError: { code: '01', status: 500, title: 'Something failed on our side', retryable: true },
  unavailable: { code: '02', status: 503, title: 'The server cannot take the request right now', retryable: true },
  invalidParam: { code: '11', status: 400, title: 'A value is not acceptable', retryable: false },
  missingParam: { code: '12', status: 400, title: 'A required value is absent', retryable: false },
  alreadyExist: { code: '13', status: 409, title: 'Such a resource already exists', retryable: false },
  requestInProgress: { code: '13', status: 409, title: 'The same request is still being worked on', retryable: true },
  parsingResource: { code: '14', status: 400, title: 'The body cannot be read', retryable: false },
  requestTimeout: { code: '14', status: 408, title: 'The request arrived too slowly', retryable: true },
  payloadTooLarge: { code: '14', status: 413, title: 'The body is too large', retryable: false },
  unsupportedMediaType: { code: '14', status: 415, title: 'The body is not JSON', retryable: false },
  headersTooLarge: { code: '14', status: 431, title: 'The headers are too large', retryable: false },
  failedPrecondition: { code: '21', status: 422, title: 'The state of the resource forbids it', retryable: false },
  quoteExpired: { code: '21', status: 422, title: 'The quoted price is no longer valid', retryable: false },
  idempotencyMismatch: { code: '21', status: 422, title: 'The key was used for another request', retryable: false },
  insufficientFunds: { code: '21', status: 422, title: 'Too little money is available', retryable: false },
  notFound: { code: '31', status: 404, title: 'There is no such resource', retryable: false },
  methodNotAllowed: { code: '31', status: 405, title: 'The path does not take this method', retryable: false },
  tooManyRequests: { code: '32', status: 429, title: 'Too many requests', retryable: true },
  unauthorized: { code: '41', status: 401, title: 'The credentials are missing or wrong', retryable: false },
  unimplemented: { code: '42', status: 501, title: 'This is not supported here', retryable: false },
  forbiddenOperation: { code: '43', status: 403, title: 'These credentials may not do this', retryable: false },
} as const satisfies Record<string, { code: string; status: number; title: string; retryable: boolean }>

export type ProblemKey = keyof typeof problems
