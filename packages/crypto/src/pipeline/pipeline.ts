/** Work that overlaps and is delivered in order. */
export interface Pipeline<Result> {
  /**
   * Starts a piece of work. Resolves when there is room for the next; rejects with the first failure so far.
   */
  push(work: () => Promise<Result>): Promise<void>
  /** Resolves when everything was delivered; rejects with the first failure. */
  drain(): Promise<void>
}

/**
 * How many chunks are worked on at once: enough to keep WebCrypto's threads busy, and a bound on memory.
 *
 * @param chunkSize - bytes of a chunk
 * @returns about 1 MiB of chunks, but 2 to 64 of them
 */
export function chunksAtOnce(chunkSize: number): number {
  return Math.min(64, Math.max(2, Math.floor(1_048_576 / chunkSize)))
}

/**
 * Does pieces of work that overlap and delivers their results in order, when their number is known beforehand.
 *
 * @param options - `count`: pieces of work; `limit`: under way at once; `start`: begins one; `deliver`: takes each result
 * @returns when all were delivered; rejects with the first failure, in order, and then begins and delivers nothing more
 */
export async function inOrder<Result>(options: {
  readonly count: number
  readonly limit: number
  readonly start: (index: number) => Promise<Result>
  readonly deliver: (result: Result, index: number) => void
}): Promise<void> {
  const { count, limit, start, deliver } = options
  const underWay: Promise<Result>[] = []
  let begun = 0
  for (let index = 0; index < count; index++) {
    for (; begun < Math.min(count, index + limit); begun++) {
      const job = start(begun)
      // Awaited in its turn; until then a failure must not count as unhandled.
      job.catch(() => undefined)
      underWay[begun % limit] = job
    }
    deliver(await (underWay[index % limit] as Promise<Result>), index)
  }
}

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
