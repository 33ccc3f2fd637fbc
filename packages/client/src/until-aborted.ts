/**
 * Waits for a promise, but no longer than until the signal.
 *
 * @param work may still come to its end when nobody waits for it any more
 * @param signal absent: it is waited for to its end
 * @returns what the work gives
 * @throws the signal's reason, or what the work throws
 */
export function untilAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
