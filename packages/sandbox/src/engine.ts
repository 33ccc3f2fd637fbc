import type { RunFailure } from './failure.js'
import type { CheckedLimits } from './limits.js'

/** A job whose input is already JSON text and whose limits are checked. */
export interface TextJob {
  readonly code: string
  readonly entry: string
  readonly input: string
  /** Well-formed texts beside it; only QuickJS reads them. */
  readonly attachments?: readonly string[]
  readonly limits: CheckedLimits
}

/** What a run gave, the output still as JSON text. */
export type TextResult =
  | {
      readonly ok: true
      readonly output: string
      readonly logs: string[]
      readonly attachments?: readonly string[]
    }
  | RunFailure

/** What runs code inside a runtime, a fresh context for each run. */
export interface Engine {
  run(job: TextJob): Promise<TextResult>
  dispose(): void
}
