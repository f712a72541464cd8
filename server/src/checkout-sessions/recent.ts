/** The sessions that this process has just created: most are submitted to at once. */
import { perPool } from '../kit/batch.ts'
import { recent } from '../kit/recent.ts'
import { limits } from '../vocabulary/limits.ts'
import type { Session } from './session.ts'

export const recentSessions = perPool(() => recent<Session>(limits.recentMs, limits.recentMax))
