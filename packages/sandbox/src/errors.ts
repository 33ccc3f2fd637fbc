/**
 * Why a run, a runtime or a bundle failed. Codes are stable; messages name the place and the remedy and never carry
 * a value that the code under test has seen.
 */

/** Reasons a single run can fail for. The runtime itself stays usable after each of them. */
export type RunErrorCode =
  /** The deadline of `limits.timeMs` passed. */
  | 'TIMEOUT'
  /** The memory limit was reached, or input or code alone are larger than it. */
  | 'OUT_OF_MEMORY'
  /** The code recursed deeper than `limits.stackBytes` allows. */
  | 'STACK_OVERFLOW'
  /** The code took more than `limits.steps`, which are counted the same on every machine. */
  | 'OUT_OF_STEPS'
  /** The code threw. Class name and line are told, the message is not: it may hold private data. */
  | 'THREW'
  /** The JSON text of the output is longer than `limits.outputBytes`. */
  | 'OUTPUT_TOO_LARGE'
  /** The output is not plain JSON (undefined, function, symbol, bigint, NaN, cycle, promise, nested too deep). */
  | 'OUTPUT_NOT_JSON'
  /** `globalThis.sealpool[entry]` is not a function after the code ran. */
  | 'ENTRY_MISSING'
  /** The code is not a script that parses. */
  | 'CODE_INVALID'
  /** The child process ended for a reason that is none of the above, killed by the system for example. The next run gets a new child. */
  | 'RUNTIME_LOST'

/** Reasons a call itself is refused for: these are thrown as {@link SandboxError}, never returned. */
export type CallErrorCode =
  /** A limit is missing, not a whole number, or outside its range. */
  | 'LIMITS_INVALID'
  /** The input is not JSON (undefined, NaN, cycle, bigint, nested too deep). */
  | 'INPUT_NOT_JSON'
  /** `close` was called before. */
  | 'RUNTIME_CLOSED'
  /** The asked isolation or the runtime cannot be had on this machine. */
  | 'RUNTIME_UNAVAILABLE'
  /** A bundle imports a Node builtin: builder code has no ambient authority. */
  | 'BUNDLE_FORBIDDEN_IMPORT'
  /** The bundler refused the module; the message names file and line. */
  | 'BUNDLE_FAILED'

/** Every code this package uses. */
export type SandboxErrorCode = RunErrorCode | CallErrorCode

/**
 * The one error class of this package.
 *
 * @example
 * ```ts
 * import { SandboxError, validateLimits } from '@sealpool/sandbox'
 * try {
 *   validateLimits({ memoryBytes: 1, timeMs: 10, outputBytes: 10 })
 * } catch (error) {
 *   if (error instanceof SandboxError) console.log(error.code, error.place) // LIMITS_INVALID limits.memoryBytes
 * }
 * ```
 */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  /** Stable reason. */
  readonly code: SandboxErrorCode
  /** Where it is, for example `limits.timeMs` or `src/proof.ts:3`. */
  readonly place: string

  /**
   * @param code stable reason
   * @param place where it is; never a private value
   * @param message what is wrong and what to do about it
   * @param options `cause`: the error underneath, if any
   */
  constructor(code: SandboxErrorCode, place: string, message: string, options: { cause?: unknown } = {}) {
    super(`${message} (${place})`, options)
    this.code = code
    this.place = place
  }
}
