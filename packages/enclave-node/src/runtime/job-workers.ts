/**
 * Runs jobs side by side, so many at once: one that takes long holds up none beside it.
 * @module
 */

/** What workers need. */
export interface JobWorkersOptions {
  /** Jobs under way at the same time. */
  readonly atOnce: number
  /** Does all that can be done for a job now; answers whether it moved on. It must not throw. */
  readonly work: (id: string) => Promise<boolean>
  /** Called when there may be more to begin. */
  readonly freed: () => void
}

/** Workers. */
export interface JobWorkers {
  /**
   * Begins as many of these as there is room for, in their order, but first those that were not tried since all were.
   * @param due every job that something could be done for now
   * @param limit of these, only so many may be worked on that are not among those that were begun before; absent: all
   */
  begin(due: readonly string[], limit?: { readonly begun: ReadonlySet<string>; readonly more: number }): void
  /** Jobs that are under way. */
  ids(): ReadonlySet<string>
  /**
   * Takes one of the places, for work that another node asks for.
   * @returns gives it back; undefined when all are taken
   */
  place(): (() => void) | undefined
  /** How many jobs are under way. */
  count(): number
  /** Waits for what is under way. Nothing may be begun afterwards. */
  ended(): Promise<void>
}

/** Makes workers that have nothing to do yet. */
export function jobWorkers({ atOnce, work, freed }: JobWorkersOptions): JobWorkers {
  const underWay = new Map<string, Promise<void>>()
  // A job that does not move, and is due again at once, comes after all others, and no sooner than the next look at the jobs.
  const tried = new Set<string>()
  let places = 0
  const start = async (id: string): Promise<void> => {
    const moved = await work(id)
    underWay.delete(id)
    if (moved) tried.delete(id)
    freed()
  }
  return {
    begin(due, limit) {
      let more = limit?.more ?? Number.POSITIVE_INFINITY
      const isNew = (id: string): boolean => limit?.begun.has(id) !== true
      // Those that may not be begun now hold up no other: they are left out before it is asked whether all were tried.
      const next = due.filter((id) => !underWay.has(id) && !tried.has(id) && (more > 0 || !isNew(id)))
      if (next.length === 0) tried.clear()
      for (const id of next) {
        if (underWay.size + places >= atOnce) break
        if (isNew(id)) {
          if (more <= 0) continue
          more -= 1
        }
        tried.add(id)
        underWay.set(id, start(id))
      }
    },
    place() {
      if (underWay.size + places >= atOnce) return undefined
      places += 1
      let held = true
      return () => {
        if (!held) return
        held = false
        places -= 1
        freed()
      }
    },
    ids: () => new Set(underWay.keys()),
    count: () => underWay.size + places,
    async ended() {
      await Promise.all(underWay.values())
    },
  }
}
