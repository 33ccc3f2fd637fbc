/** Work that overlaps and is delivered in order. */
export interface Pipeline<Result> {
  /**
   * Starts a piece of work. Resolves when there is room for the next; rejects with the first failure so far.
   */
  push(work: () => Promise<Result>): Promise<void>
  /** Resolves when everything was delivered; rejects with the first failure. */
  drain(): Promise<void>
}

/** How many chunks are worked on at once: enough to keep WebCrypto's threads busy, and a bound on memory. */
export const chunksAtOnce = 6

/**
 * Makes a pipeline. Results are delivered in the order of their work, each only after all before it; after the first
 * failure nothing more is delivered.
 *
 * @param options - `limit`: pieces of work under way at once, 1 or more; `deliver`: takes each result; `fail`: told of
 *   the first failure as soon as it happens
 * @returns the pipeline
 */
export function createPipeline<Result>(options: {
  readonly limit: number
  readonly deliver: (result: Result) => void
  readonly fail?: (error: unknown) => void
}): Pipeline<Result> {
  const { limit, deliver, fail } = options
  const underWay: Promise<void>[] = []
  let tail: Promise<void> = Promise.resolve()
  let failed = false
  return {
    async push(work) {
      const job = work()
      tail = Promise.all([job, tail]).then(([result]) => deliver(result))
      tail.catch((error: unknown) => {
        if (!failed) fail?.(error)
        failed = true
      })
      underWay.push(tail)
      if (underWay.length >= limit) await underWay.shift()
    },
    drain: () => tail,
  }
}
