/** Colours as sRGB hex: how far two stand apart (WCAG 2.2), and mixing. Pure. */

type Rgb = readonly [red: number, green: number, blue: number]

function read(hex: string): Rgb {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16)
  return [part(1), part(3), part(5)]
}

/** Relative luminance (WCAG 2.2, definitions), 0 for black to 1 for white. */
function luminance(hex: string): number {
  const linear = read(hex).map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  const [red = 0, green = 0, blue = 0] = linear
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** The contrast ratio of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

/** `share` of `b` in `a`: 0 is `a`, 1 is `b`. */
export function mix(a: string, b: string, share: number): string {
  const [from, to] = [read(a), read(b)]
  const parts = from.map((value, i) => Math.round(value + ((to[i] ?? 0) - value) * share))
  return `#${parts.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

/** `color`, moved towards `goal` in small steps until it stands at least `ratio` from each of `against`. */
export function movedUntil(color: string, goal: string, ratio: number, against: readonly string[]): string {
  for (let share = 0; share < 1; share += 0.04) {
    const moved = mix(color, goal, share)
    if (against.every((other) => contrast(moved, other) >= ratio)) return moved
  }
  return goal
}

/** Black or white, whichever can be read on this colour: one of them always stands 4.5 from it. */
export function inkOn(background: string): string {
  return contrast(background, '#ffffff') >= 4.5 ? '#ffffff' : '#000000'
}
