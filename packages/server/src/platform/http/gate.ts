/** Lets some through at once; the others wait in their order. */
export type Gate = {
  /** Calls `go` now, or when it is its turn. */
  enter(go: () => void): void
  leave(): void
}

export function openGate(most: number): Gate {
  const waiting: (() => void)[] = []
  let inside = 0
  return {
    enter(go) {
      if (inside >= most) return void waiting.push(go)
      inside += 1
      go()
    },
    leave() {
      const next = waiting.shift()
      if (next) next()
      else inside -= 1
    },
  }
}
