import type { Given, OptionSpec } from './arguments.js'
import type { CliExitCode, CliIo } from './io.js'
import type { Opened } from './settings.js'

/** One command of the program. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** One whole command line. */
  readonly example: string
  /** Names of its positional arguments. */
  readonly positionals: readonly string[]
  /** Its own options, besides those of the pool. */
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Lines under the usage; what to know before one runs it. */
  readonly details?: string
  /** `none`: works without a pool; `read`: needs no account; `send`: signs or sends. */
  readonly needs: 'none' | 'read' | 'send'
  readonly run: (context: CommandContext) => Promise<CommandAnswer>
}

/** What a command is given. */
export interface CommandContext {
  readonly given: Given
  readonly io: CliIo
  /** The pool. @throws ClientError for a command that needs none */
  readonly opened: () => Opened
  /** Tells a person that something goes on; nothing in `--json`. */
  readonly progress: (text: string) => void
}

/** What a command answers: the same for people and for scripts. */
export interface CommandAnswer {
  readonly json: unknown
  readonly text: string
  /** Default 0. */
  readonly exitCode?: CliExitCode
}
