/**
 * The flags that the server gives Node, measured under full load (ADR 73): a young generation and a limit that keep the
 * garbage collector from trading memory that a small machine does not have for CPU time that it hardly saves.
 */
export const nodeFlags = ['--max-semi-space-size=8', '--max-old-space-size=1024']
