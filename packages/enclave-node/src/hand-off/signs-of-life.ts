/**
 * Signs of life for the chain while other nodes work: a visit may end before the job's own do anything.
 * @module
 */

/** What signs of life need. */
export interface SignsOfLifeOptions {
  /** Seconds between two of them. */
  readonly heartbeatSeconds: number
  /** Unix seconds. */
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/** @returns signs of life of jobs; none was given yet */
export function signsOfLife({ heartbeatSeconds, now, onError }: SignsOfLifeOptions) {
  const last = new Map<string, number>()
  return {
    /**
     * @param beat gives one
     * @param begun whether the hand-off was begun before, by a process that may have ended since
     */
    async whenDue(job: string, beat: () => Promise<void>, begun: boolean): Promise<void> {
      const before = last.get(job)
      if (before !== undefined && now() - before < heartbeatSeconds) return
      last.set(job, now())
      // The first visit of all comes right after the start, which is a sign of life itself; the first after a restart does not.
      if (before !== undefined || begun) await beat().catch(onError)
    },
    /** The job is over. */
    forget(job: string): void {
      last.delete(job)
    },
  }
}
