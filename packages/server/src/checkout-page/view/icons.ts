/** The few pictures of the page, drawn by us. They say nothing that the words beside them do not. */
import type { Flow } from '@pasarela/connector-kit'
import { type Html, ours } from '../html.ts'

function icon(paths: string, size = 24): Html {
  return ours(
    `<svg aria-hidden="true" width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${paths}</svg>`,
  )
}

export const flowIcons: Readonly<Record<Flow, Html>> = {
  qr: icon('<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v6h-4M14 20v-1"/>'),
  transfer: icon('<path d="M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4"/>'),
  redirect: icon('<path d="M3 10l9-6 9 6M5 10v8M10 10v8M14 10v8M19 10v8M3 20h18"/>'),
  card: icon('<path d="M3 6h18v12H3zM3 10h18M7 15h3"/>'),
  wallet: icon('<path d="M7 3h10v18H7zM11 18h2"/>'),
}
export const chevron = icon('<path d="M6 9l6 6 6-6"/>', 20)
export const tick = icon('<path d="M5 12.5l4.5 4.5L19 7.5"/>', 32)
export const clock = icon('<path d="M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7v5l3 2"/>', 32)
export const cross = icon('<path d="M7 7l10 10M17 7L7 17"/>', 32)
