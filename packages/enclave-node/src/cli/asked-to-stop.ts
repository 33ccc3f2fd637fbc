/**
 * How a command of `sealpool-node` that goes on is told to end.
 * @module
 */

/**
 * @param withStdin whether the end of standard input counts as well
 * @returns resolves when the program shall end
 */
export function askedToStop(withStdin: boolean): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(undefined))
    // Whoever started the node holds the other end: when it dies, however it dies, the node ends too.
    if (withStdin) process.stdin.resume().once('end', () => resolve(undefined))
  })
}
