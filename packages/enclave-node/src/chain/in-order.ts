/**
 * Runs tasks one after the other in the order in which they were given: the account's nonces then follow each other,
 * and no transaction waits for one that was never sent.
 * @returns a function that queues a task and answers with its result
 */
export function inOrder(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const turn = last.then(task)
    last = turn.catch(() => undefined)
    return turn
  }
}
