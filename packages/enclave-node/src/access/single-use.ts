/**
 * Remembers what may be used once, for as long as it could be used again, and never more than there is room for.
 * @module
 */

/** Names that were used. */
export interface SingleUse {
  /**
   * Uses a name.
   * @param until unix seconds: from then on the name is refused for its age, whoever remembers it
   * @returns `taken`; `repeated` when it was used before; `full` when nothing more can be remembered now
   */
  take(name: string, until: number): 'taken' | 'repeated' | 'full'
  /** Gives a name back: what it was taken for did not happen. */
  release(name: string): void
}

/**
 * @param options `capacity`: most names at a time; `now`: unix seconds
 * @returns a memory that is empty
 */
export function singleUse(options: { readonly capacity: number; readonly now: () => number }): SingleUse {
  const used = new Map<string, number>()
  let forgotAt = Number.NEGATIVE_INFINITY
  const forget = (): void => {
    const now = options.now()
    // Once a second at most: whoever fills the memory must not have it searched at every call.
    if (now === forgotAt) return
    forgotAt = now
    for (const [name, until] of used) if (until < now) used.delete(name)
  }
  return {
    take(name, until) {
      if (used.has(name)) return 'repeated'
      if (used.size >= options.capacity) forget()
      // Rather refused than forgotten: what is forgotten could be used again.
      if (used.size >= options.capacity) return 'full'
      used.set(name, until)
      return 'taken'
    },
    release(name) {
      used.delete(name)
    },
  }
}
