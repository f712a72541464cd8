/** A QR as a small drawing inside the page. */
import { qrModules } from '../../kit/qr-image.ts'
import { type Html, ours } from '../html.ts'

/** One stroke per run of dark modules: a quarter of the size of one square per module. Holds numbers only, whatever the text. */
export function qrSvg(text: string): Html {
  const data = qrModules(text, 0)
  const size = data.length
  const runs = data.flatMap((modules, y) => {
    const found: string[] = []
    for (let x = 0; x < size; x++) {
      if (!modules[x]) continue
      const from = x
      while (modules[x + 1]) x++
      found.push(`M${from} ${y}.5h${x - from + 1}`)
    }
    return found
  })
  return ours(
    `<svg aria-hidden="true" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path stroke="#000" d="${runs.join('')}"/></svg>`,
  )
}
