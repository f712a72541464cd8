/** Types of node-flags.js, which must run on any Node. */
export const nodeFlags: string[]
