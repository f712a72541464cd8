/** Time as a parameter: the real clock, or one that a test moves. */

export type Clock = { nowMs(): number }

export const systemClock: Clock = { nowMs: () => Date.now() }
