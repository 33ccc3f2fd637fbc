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
 * less waiting: come again later; and when its signal said, before it was begun, that nobody wants it any more. What is begun keeps its turn
 * until it ends, so that no more is done at a time: it looks at the signal itself
 */
export function callerTurns(
  limits: TurnLimits,
  breath: () => Promise<void>,
): <T>(caller: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T | undefined> {
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
  const run = async <T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> => {
    underWay += 1
    try {
      await breath()
      return signal?.aborted === true ? undefined : await work()
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

  /** Takes out what waits and is not wanted any more: its place is free for others. */
  const leave = (caller: string, piece: Waiting): void => {
    const queue = queues.get(caller) ?? []
    const place = queue.indexOf(piece)
    if (place < 0) return
    queue.splice(place, 1)
    if (queue.length === 0) queues.delete(caller)
    waiting -= 1
    piece.turnAway()
  }

  return async <T>(caller: string, work: () => Promise<T>, signal?: AbortSignal) => {
    if (signal?.aborted === true) return undefined
    if (underWay < limits.atOnce) return run(work, signal)
    const queue = queues.get(caller) ?? []
    if (queue.length >= limits.waiting) return undefined
    if (waiting >= limits.waitingOfAll && !makeRoom(queue.length)) return undefined
    waiting += 1
    queues.set(caller, queue)
    return new Promise<T | undefined>((resolve, reject) => {
      const gone = (): void => leave(caller, piece)
      const piece: Waiting = {
        begin: () => {
          signal?.removeEventListener('abort', gone)
          run(work, signal).then(resolve, reject)
        },
        turnAway: () => {
          signal?.removeEventListener('abort', gone)
          resolve(undefined)
        },
      }
      signal?.addEventListener('abort', gone)
      queue.push(piece)
    })
  }
}

/** A piece of work that waits. */
interface Waiting {
  readonly begin: () => void
  readonly turnAway: () => void
}
