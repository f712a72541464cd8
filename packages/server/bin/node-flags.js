/**
 * The flags that the server gives Node, measured under full load (ADR 73): a young generation and a limit that keep the
 * garbage collector from trading memory that a small machine does not have for CPU time that it hardly saves, and a heap that may
 * grow by four fifths between two large rounds, each of which requests notice.
 */
export const nodeFlags = [
  '--max-semi-space-size=16',
  '--max-old-space-size=1024',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=80',
]

/** Two arenas of the C library's allocator instead of eight per core: what threads free would stay with them, 20 MB under load. */
export const nodeEnvironment = { MALLOC_ARENA_MAX: '2' }
