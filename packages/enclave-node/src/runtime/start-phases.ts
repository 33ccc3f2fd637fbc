/** @returns notes how long each part of a start took, and gives all of them, in milliseconds */
export function startPhases(): (name: string) => Readonly<Record<string, number>> {
  const taken: Record<string, number> = {}
  let since = performance.now()
  return (name) => {
    const now = performance.now()
    taken[name] = Math.round(now - since)
    since = now
    return taken
  }
}
