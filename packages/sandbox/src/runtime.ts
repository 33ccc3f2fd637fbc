import type { RunErrorCode } from './errors.js'
import type { Limits } from './limits.js'

/** A JSON value, as JSON.parse returns it. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** How far the code is kept from the machine, beyond the interpreter itself. */
export type Isolation = 'bubblewrap' | 'process' | 'none'

/** One piece of work for a {@link JobRuntime}. */
export interface Job {
  /**
   * A classic script that sets `globalThis.sealpool = { [entry]: (input) => output }`. Functions are synchronous, take
   * JSON and give JSON. There is no clock, randomness, network, file, module loading or evaluation of strings.
   */
  readonly code: string
  /** Which function of `globalThis.sealpool` to call. */
  readonly entry: string
  /** The argument; it crosses as JSON text, so the code gets a copy. */
  readonly input: JsonValue
  /**
   * Long texts beside the input, for QuickJS alone: the code reads them by number with `batch.attachment` or, without their ever
   * entering the interpreter, as `batch.table(format, { attachment })`. They count against `limits.memoryBytes`. At most 64.
   */
  readonly attachments?: readonly string[]
  /** What the run may use. */
  readonly limits: Limits
}

/** What a run gave. */
export type RunResult =
  | {
      readonly ok: true
      /** The entry's return value, parsed from its JSON text on this side. */
      readonly output: JsonValue
      /** What the code wrote to `console`: at most 100 lines of 1,000 characters. May hold private data. */
      readonly logs: string[]
      /** Texts that the code attached (`batch.attach`, `table.attach`), in their order; absent where it attached none. Hostile, as `output` is. */
      readonly attachments?: readonly string[]
    }
  | {
      readonly ok: false
      readonly code: RunErrorCode
      /** Says what happened and where, never what the code's own error said. */
      readonly message: string
      /** `line 12` of the code where that is known, else the stage: `load`, `input`, `run`, `output`. */
      readonly place: string
    }

/**
 * The port: something that runs approved code on private data without ambient authority. Every run gets a fresh
 * context, so nothing survives from one contribution to the next. Adapters: `@sealpool/sandbox/quickjs` (in this
 * process, browser too), `@sealpool/sandbox/process` (child process, bubblewrap where it works) and `@sealpool/sandbox/native` (programs
 * of the machine's own code, behind a filter of system calls).
 */
export interface JobRuntime {
  /** Engine and version, for receipts and logs. */
  readonly name: string
  /** The isolation that is really in force, not the one asked for. */
  readonly isolation: Isolation
  /**
   * False where the same job may give something else on another machine, or another time: native programs. What several machines have to
   * agree on, as they do on verdicts and rows, refuses such a runtime.
   */
  readonly repeatable?: false
  /**
   * Runs one job. What the code does wrong comes back as `ok: false`; what the caller does wrong is thrown.
   *
   * @throws SandboxError `LIMITS_INVALID`, `INPUT_NOT_JSON`, `RUNTIME_CLOSED`, `RUNTIME_UNAVAILABLE`
   */
  run(job: Job): Promise<RunResult>
  /** Frees the engine and ends child processes. Runs under way fail with `RUNTIME_LOST`. */
  close(): Promise<void>
}
