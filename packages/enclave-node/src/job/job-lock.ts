import { inOrder } from '../chain/in-order.js'

/** Runs work on one job while no other work on the same job runs in this process. */
export type JobLock = <T>(id: string, work: () => Promise<T>) => Promise<T>

/**
 * Makes the lock that everything shares which decides about jobs. A data directory is open in one process at a time, so
 * that no lock outside of it is needed; jobs do not hold up each other. It is not re-entrant.
 */
export function jobLock(): JobLock {
  const queues = new Map<string, { readonly run: ReturnType<typeof inOrder>; waiting: number }>()
  return async (id, work) => {
    const queue = queues.get(id) ?? { run: inOrder(), waiting: 0 }
    queues.set(id, queue)
    queue.waiting += 1
    try {
      return await queue.run(work)
    } finally {
      queue.waiting -= 1
      if (queue.waiting === 0) queues.delete(id)
    }
  }
}
