import type { Limits } from '../limits.js'

/** Limits in which every well-behaved test job fits. */
export const limits: Limits = { memoryBytes: 32 * 2 ** 20, timeMs: 2_000, outputBytes: 100_000 }

/** Script whose entry `go` is this expression. */
export const script = (expression: string): string => `globalThis.sealpool = { go: ${expression} }`
