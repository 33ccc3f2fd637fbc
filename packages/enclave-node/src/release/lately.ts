/**
 * Remembers what was computed lately from something that its name stands for whole, so that it can never be out of date.
 * @param most values that are remembered; the one that was asked for longest ago goes first
 * @returns the value of this name, computed when it is not remembered; one that was computed from something else than its name says
 * (`holds`: asked afterwards) is answered and not remembered
 */
export function lately<T>(
  most: number,
): (name: string, compute: () => Promise<T>, holds?: () => Promise<boolean>) => Promise<T> {
  const known = new Map<string, T>()
  return async (name, compute, holds = async () => true) => {
    const before = known.get(name)
    const value = before ?? (await compute())
    if (before === undefined && !(await holds())) return value
    known.delete(name)
    known.set(name, value)
    for (const eldest of known.keys()) {
      if (known.size <= most) break
      known.delete(eldest)
    }
    return value
  }
}
