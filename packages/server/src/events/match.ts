/** Which events somebody wants: exact types, or all below a prefix. */
import { eventTypes } from '../vocabulary/events.ts'

const all = Object.keys(eventTypes)

/** Everything that can be wished for: `*`, each group such as `payment.*`, and each type. */
export const eventWishes = ['*', ...new Set(all.map((type) => type.replace(/\.[^.]*$/, '.*'))), ...all]

/** Whether a wish can ever match: `*`, `payment.*`, or a type that exists. */
export function isEventWish(wish: string): boolean {
  return all.some((type) => matches(wish, type))
}

/** Whether any of the wishes covers the type. */
export function wantsEvent(wishes: readonly string[], type: string): boolean {
  return wishes.some((wish) => matches(wish, type))
}

function matches(wish: string, type: string): boolean {
  if (wish === '*' || wish === type) return true
  return wish.endsWith('.*') && type.startsWith(wish.slice(0, -1))
}
