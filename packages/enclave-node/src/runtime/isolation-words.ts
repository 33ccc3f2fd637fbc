import type { JobRuntime } from '@sealpool/sandbox'

/**
 * What stands between the node and each kind of foreign code, in words for receipts. The built-in computations are the
 * node's own code, measured with it, and run in its process.
 * @param runtime that runs proofs and refiners
 * @returns the words
 */
export function isolationOf(runtime: JobRuntime): string {
  return `proofs and refiners: ${runtime.isolation}; SQL engine: process; built-in computations: none`
}
