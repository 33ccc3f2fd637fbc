import type { JobRuntime } from '@sealpool/sandbox'

/**
 * What stands between the node and each kind of foreign code, in words for receipts. The built-in computations are the
 * node's own code, measured with it, and run in its process.
 * @param runtime that runs proofs and refiners
 * @param programs words for the runtimes of programs; absent: the node runs none
 * @returns the words
 */
export function isolationOf(runtime: JobRuntime, programs?: string): string {
  const words = `proofs and refiners: ${runtime.isolation}; SQL engine: process; built-in computations: none`
  return programs === undefined ? words : `${words}; programs: ${programs}`
}
