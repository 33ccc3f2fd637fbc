/**
 * Lets costly work through a little at a time: what waits, waits here and not in the event loop, where connections are taken, and cut off
 * when nothing of them was read for too long. Callers take turns, so that one who asks for much holds up himself.
 * @module
 */

/** How much at a time. */
export interface TurnLimits {
  /** Pieces of work under way at the same time. */
  readonly atOnce: number
  /** Of one caller, pieces that wait. */
  readonly waiting: number
  /** Of all callers together. */
  readonly waitingOfAll: number
}

/**
 * Makes the turns.
 * @param limits how much at a time
 * @param breath resolves when whatever else waits for the event loop had its chance
 * @returns does a piece of work when its turn comes; undefined when too many wait: come again later
 */
export function callerTurns(
  limits: TurnLimits,
  breath: () => Promise<void>,
): <T>(caller: string, work: () => Promise<T>) => Promise<T> | undefined {
  /** What waits, by caller; whose turn is next stands first. */
  const queues = new Map<string, (() => void)[]>()
  let underWay = 0
  let waiting = 0

  const next = (): void => {
    for (const [caller, queue] of queues) {
      const begin = queue.shift()
      queues.delete(caller)
      if (queue.length > 0) queues.set(caller, queue)
      if (begin === undefined) continue
      waiting -= 1
      begin()
      return
    }
  }
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    underWay += 1
    try {
      await breath()
      return await work()
    } finally {
      underWay -= 1
      next()
    }
  }

  return (caller, work) => {
    if (underWay < limits.atOnce) return run(work)
    const queue = queues.get(caller) ?? []
    if (queue.length >= limits.waiting || waiting >= limits.waitingOfAll) return undefined
    waiting += 1
    queues.set(caller, queue)
    return new Promise((resolve, reject) => {
      queue.push(() => {
        run(work).then(resolve, reject)
      })
    })
  }
}
