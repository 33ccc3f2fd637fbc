import { SandboxError } from './errors.js'

/** What one run may use. All numbers are whole. */
export interface Limits {
  /** Memory of the run in bytes, 1 MiB to 1 GiB: code, input, everything the code allocates. QuickJS has it beside the 16 MiB it begins with. */
  readonly memoryBytes: number
  /** Deadline in milliseconds, 1 to 600,000. */
  readonly timeMs: number
  /** Interpreter stack in bytes, 16 KiB to 512 KiB; 256 KiB when absent. */
  readonly stackBytes?: number
  /**
   * Steps of the run, 1 to 2^53 - 1; no bound when absent. They are counted the same on every machine, so that it is not the clock that
   * decides what a run may do: instructions in WebAssembly, the interpreter's polls (a loop or a call, by ten thousand) in QuickJS. Python
   * does not count; native programs are refused with a bound.
   */
  readonly steps?: number
  /** Longest output in bytes of JSON text (UTF-8), 1 to 256 MiB. */
  readonly outputBytes: number
}

/** Limits with every field present and checked. */
export type CheckedLimits = Required<Limits>

const KIB = 1024
const MIB = 1024 * KIB

/** Limits that suit a proof or refiner on one contribution of some megabytes: 64 MiB, 5 s, 1 MiB of output. */
export const DEFAULT_LIMITS: CheckedLimits = /* @__PURE__ */ Object.freeze({
  memoryBytes: 64 * MIB,
  timeMs: 5_000,
  stackBytes: 256 * KIB,
  steps: Number.MAX_SAFE_INTEGER,
  outputBytes: MIB,
})

// The stack's upper bound is what the WebAssembly build of QuickJS holds: with more, its own check comes too late and
// the host's stack overflows first.
const ranges: Readonly<Record<keyof Limits, readonly [number, number]>> = {
  memoryBytes: [MIB, 1024 * MIB],
  timeMs: [1, 600_000],
  stackBytes: [16 * KIB, 512 * KIB],
  steps: [1, Number.MAX_SAFE_INTEGER],
  outputBytes: [1, 256 * MIB],
}

/**
 * Checks limits and fills in the defaults of stack and steps.
 *
 * @param limits what the caller asks for
 * @returns the same limits with every field present
 * @throws {@link SandboxError} `LIMITS_INVALID` naming the field and its range
 */
export function validateLimits(limits: Limits): CheckedLimits {
  const checked = {
    memoryBytes: limits.memoryBytes,
    timeMs: limits.timeMs,
    stackBytes: limits.stackBytes ?? DEFAULT_LIMITS.stackBytes,
    steps: limits.steps ?? DEFAULT_LIMITS.steps,
    outputBytes: limits.outputBytes,
  }
  for (const name of ['memoryBytes', 'timeMs', 'stackBytes', 'steps', 'outputBytes'] as const) {
    const [low, high] = ranges[name]
    const value = checked[name]
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new SandboxError(
        'LIMITS_INVALID',
        `limits.${name}`,
        `expected a whole number from ${low} to ${high}, got ${typeof value === 'number' ? value : typeof value}`,
      )
    }
  }
  return checked
}
