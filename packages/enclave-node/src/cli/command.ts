/**
 * What a command of `sealpool-node` is.
 * @module
 */
import type { Given, OptionSpec } from './arguments.js'

/** Where a command writes. */
export interface NodeCliIo {
  /** Writes to standard output: the answer, and nothing else. */
  readonly out: (text: string) => void
  /** Writes to standard error: progress, warnings and what went wrong. */
  readonly err: (text: string) => void
}

/** Options of every command, besides its own. */
export const everyCommand = {
  json: { help: 'print the answer, or what went wrong, as one line of JSON on standard output' },
  help: { help: 'print this' },
} as const satisfies Readonly<Record<string, OptionSpec>>

/**
 * - 0: done, or the answer is yes
 * - 1: the answer is no: a log does not verify, a step is open, a check of a drill failed; or the node ended by itself
 * - 2: the command line, or the settings that it names, were not understood: the same command will not do better later
 * - 3: it could not be done
 */
export type NodeExitCode = 0 | 1 | 2 | 3

/** What a command answers: the same for people and for scripts. */
export interface NodeAnswer {
  /** Printed as one line with `--json`, and laid out where there is no `text`; undefined: nothing is left to say. */
  readonly json?: object | undefined
  readonly text?: string | undefined
  /** Default 0. */
  readonly exitCode?: NodeExitCode
}

/** One command of the program. */
export interface NodeCommand {
  /** One word, or two of which the first is shared (`committee join`). */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Its one argument besides options, which must be one of these. */
  readonly argument?: { readonly name: string; readonly oneOf: readonly string[] }
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Paragraphs: what to know before one runs it. */
  readonly details: readonly string[]
  /** When it is not 0, where that is more than for every command. */
  readonly exitCodes?: string
  /** Whole command lines. */
  readonly examples: readonly string[]
  readonly run: (given: Given, io: NodeCliIo) => Promise<NodeAnswer>
}
