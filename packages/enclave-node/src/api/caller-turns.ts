/**
 * Lets costly work through a little at a time: what waits, waits here and not in the event loop, where connections are taken, and cut off
 * when nothing of them was read for too long. Callers take turns, so that one who asks for much holds up himself; and when no more can
 * wait, whoever has most waiting makes room for who has less.
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
 * @returns does a piece of work when its turn comes; answers undefined when too many wait, or when it waited and others came who had
 * less waiting: come again later
 */
export function callerTurns(
  limits: TurnLimits,
  breath: () => Promise<void>,
): <T>(caller: string, work: () => Promise<T>) => Promise<T | undefined> {
  /** What waits, by caller; whose turn is next stands first. */
  const queues = new Map<string, Waiting[]>()
  let underWay = 0
  let waiting = 0

  const next = (): void => {
    for (const [caller, queue] of queues) {
      const first = queue.shift()
      queues.delete(caller)
      if (queue.length > 0) queues.set(caller, queue)
      if (first === undefined) continue
      waiting -= 1
      first.begin()
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

  /** @returns false when nobody has so much more waiting than somebody with `own` pieces that he would not have less afterwards */
  const makeRoom = (own: number): boolean => {
    const longest = [...queues.values()].reduce<Waiting[]>(
      (most, queue) => (queue.length > most.length ? queue : most),
      [],
    )
    if (longest.length <= own + 1) return false
    waiting -= 1
    longest.pop()?.turnAway()
    return true
  }

  return async <T>(caller: string, work: () => Promise<T>) => {
    if (underWay < limits.atOnce) return run(work)
    const queue = queues.get(caller) ?? []
    if (queue.length >= limits.waiting) return undefined
    if (waiting >= limits.waitingOfAll && !makeRoom(queue.length)) return undefined
    waiting += 1
    queues.set(caller, queue)
    return new Promise<T | undefined>((resolve, reject) => {
      queue.push({
        begin: () => {
          run(work).then(resolve, reject)
        },
        turnAway: () => resolve(undefined),
      })
    })
  }
}

/** A piece of work that waits. */
interface Waiting {
  readonly begin: () => void
  readonly turnAway: () => void
}
