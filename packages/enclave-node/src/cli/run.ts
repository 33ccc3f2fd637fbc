/**
 * The `sealpool-node` command as a function.
 * @module
 */
import { createRequire } from 'node:module'
import { NodeError } from '../errors.js'
import { errorFields } from '../runtime/logger.js'
import { readArguments, usageError } from './arguments.js'
import {
  everyCommand,
  type NodeAnswer,
  type NodeCliIo,
  type NodeCommand,
  type NodeExitCode,
} from './command.js'
import { committeeCommands } from './committee-commands.js'
import { commandHelp, generalHelp } from './help.js'
import { incidentCommands } from './incident-commands.js'
import { keepingCommands } from './keeping-commands.js'
import { measureCommands } from './measure-commands.js'
import { serviceCommands } from './service-commands.js'

/** Every command, in the order of the help. */
export const commands: readonly NodeCommand[] = [
  ...serviceCommands,
  ...incidentCommands,
  ...keepingCommands,
  ...measureCommands,
  ...committeeCommands,
]

/** What the same command will not do better later: its line, or settings that somebody has to mend. */
const notUnderstood = ['OPTION_INVALID', 'CONFIG_INVALID', 'CONFIG_FILE_UNREADABLE', 'SECRET_MISSING']

/**
 * Runs the command.
 *
 * @param argv arguments after the program's name
 * @param io where it writes
 * @returns the exit code; errors are printed, not thrown
 */
export async function runNodeCli(argv: readonly string[], io: NodeCliIo): Promise<NodeExitCode> {
  const json = argv.includes('--json')
  let command: NodeCommand | undefined
  try {
    const [name] = argv
    if (name === '--version' || name === 'version') {
      io.out(`sealpool-node ${ownVersion()}\n`)
      return 0
    }
    if (name === undefined) {
      io.err(generalHelp(commands))
      return 2
    }
    if (name === 'help' || argv.includes('--help') || argv.includes('-h')) {
      io.out(helpFor((name === 'help' ? argv.slice(1) : argv).filter((word) => !word.startsWith('-'))))
      return 0
    }
    const found = commandNamed(argv)
    command = found.command
    const options = { ...command.options, json: everyCommand.json }
    const given = readArguments(found.rest, { ...command, options })
    const answer = await command.run(given, io)
    print(answer, json, io)
    return answer.exitCode ?? 0
  } catch (error) {
    return tell(error, command, json, io)
  }
}

/** @throws NodeError `OPTION_INVALID` */
function helpFor(words: readonly string[]): string {
  const [first] = words
  if (first === undefined) return generalHelp(commands)
  const steps = commands.filter(({ name }) => name.startsWith(`${first} `))
  const isStep = steps.some(({ name }) => name === `${first} ${words[1]}`)
  return steps.length > 0 && !isStep ? generalHelp(steps) : commandHelp(commandNamed(words).command)
}

function print({ json: value, text }: NodeAnswer, json: boolean, io: NodeCliIo): void {
  if (json && value !== undefined) io.out(`${JSON.stringify(value)}\n`)
  else if (!json && text !== undefined) io.out(`${text}\n`)
  else if (!json && value !== undefined) io.out(`${JSON.stringify(value, null, 2)}\n`)
}

/**
 * The command that the first words name, and the words behind its name.
 *
 * @throws NodeError `OPTION_INVALID`
 */
function commandNamed(words: readonly string[]): {
  readonly command: NodeCommand
  readonly rest: readonly string[]
} {
  for (const command of commands) {
    const length = command.name.split(' ').length
    if (words.slice(0, length).join(' ') === command.name) return { command, rest: words.slice(length) }
  }
  const [first = ''] = words
  const steps = commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name] : []))
  if (steps.length > 0) throw usageError(first, `say which: ${steps.join(', ')}`)
  const near = commands.filter(({ name }) => name.startsWith(first.slice(0, 2)) && first !== '')
  throw usageError(
    'command',
    `there is no such command${near.length === 0 ? '' : `; did you mean ${near.map(({ name }) => name).join(', ')}?`}`,
  )
}

/** What went wrong, for people on standard error and for programs, with `--json`, on standard output. */
function tell(error: unknown, command: NodeCommand | undefined, json: boolean, io: NodeCliIo): NodeExitCode {
  const fields = errorFields(error)
  const code = error instanceof Error && 'place' in error ? (fields['code'] ?? 'INTERNAL') : 'INTERNAL'
  const place = fields['place'] ?? 'sealpool-node'
  const message =
    fields['message'] ?? `${fields['type']} ${fields['code'] ?? ''} ${fields['at'] ?? ''}`.trim()
  if (json) io.out(`${JSON.stringify({ error: { code, place, message } })}\n`)
  io.err(`sealpool-node: ${message}\n`)
  if (code === 'OPTION_INVALID')
    io.err(`Try: sealpool-node ${command === undefined ? '' : `${command.name} `}--help\n`)
  return error instanceof NodeError && notUnderstood.includes(error.code) ? 2 : 3
}

/** The version of this package, from its manifest. */
function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('@sealpool/enclave-node/package.json') as {
    readonly version: string
  }
  return version
}
