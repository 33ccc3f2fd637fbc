import { createRequire } from 'node:module'
import { AttestError } from '@sealpool/attest'
import { ContractsError } from '@sealpool/contracts'
import { CryptoError } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { BlobStoreError } from '../store/blob-store-error.js'
import { accessCommands } from './access-commands.js'
import { readArguments, usage } from './arguments.js'
import { catalogueCommand, similarCommand } from './catalogue-command.js'
import { checkAccessCommand } from './check-access-command.js'
import type { Command } from './command.js'
import { consentCommands } from './consent-commands.js'
import { contributorCommands } from './contributor-commands.js'
import { credentialCommand } from './credential-command.js'
import { commandHelp, generalHelp, jsonOption } from './help.js'
import { hintOf } from './hint.js'
import { importCommand } from './import-command.js'
import { type CliExitCode, type CliIo, harmless, jsonText } from './io.js'
import { jobCommands } from './job-commands.js'
import { lineageCommand } from './lineage-command.js'
import { memberCommands } from './member-commands.js'
import { permitCommands } from './permit-commands.js'
import { programCommand } from './program-command.js'
import { openPool, poolOptions } from './settings.js'

/** Commands by whom they are for, in the order of the help. */
const commandLists: readonly (readonly [title: string, commands: readonly Command[]])[] = [
  ['Contributors', [...contributorCommands, importCommand, ...consentCommands]],
  ['Consumers', [programCommand, ...jobCommands, checkAccessCommand, credentialCommand]],
  ['Members', memberCommands],
  ['Permits', permitCommands],
  ['Everybody', [catalogueCommand, similarCommand, lineageCommand]],
  ['Tokens for agents', accessCommands],
]

/** Every command, in the order of the help. */
export const commands: readonly Command[] = commandLists.flatMap(([, list]) => list)

/** A grant that does not hold is an answer. */
const grantRefusals = [
  'GRANT_NOT_SIGNED',
  'GRANT_OF_ANOTHER',
  'GRANT_SCOPE',
  'GRANT_EXPIRED',
  'GRANT_REVOKED',
  'GRANT_SUPERSEDED',
]

/**
 * Runs the `sealpool` command.
 *
 * @param argv arguments after the program's name
 * @param io output, environment, standard input
 * @returns the exit code; errors are printed, not thrown
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<CliExitCode> {
  const [name, ...rest] = argv
  const json = argv.includes('--json')
  try {
    if (name === '--version' || name === 'version') {
      io.out(`sealpool ${ownVersion()}\n`)
      return 0
    }
    if (name === undefined) {
      // Nobody asked for it: not on standard output.
      io.err(generalHelp(commandLists))
      return 2
    }
    if (name === '--help' || name === '-h' || name === 'help') {
      const about = name === 'help' ? rest.find((one) => !one.startsWith('-')) : undefined
      io.out(about === undefined ? generalHelp(commandLists) : commandHelp(commandNamed(about)))
      return 0
    }
    const command = commandNamed(name)
    if (rest.includes('--help') || rest.includes('-h')) {
      io.out(commandHelp(command))
      return 0
    }
    const options = { ...(command.needs === 'none' ? jsonOption : poolOptions), ...command.options }
    const given = readArguments(rest, options, command.positionals)
    const opened = command.needs === 'none' ? undefined : await openPool(given, io, command.needs === 'send')
    const answer = await command.run({
      given,
      io,
      opened: () => {
        if (opened === undefined) throw usage('command', 'this command works without a pool')
        return opened
      },
      progress: (text) => {
        if (!json) io.err(`${harmless(text)}\n`)
      },
    })
    io.out(json ? `${jsonText(answer.json)}\n` : `${harmless(answer.text)}\n`)
    return answer.exitCode ?? 0
  } catch (error) {
    return tell(error, name, json, io)
  }
}

/** The version of this package, from its manifest. */
function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('@sealpool/client/package.json') as {
    readonly version: string
  }
  return version
}

/** @throws ClientError `OPTION_INVALID` */
function commandNamed(name: string): Command {
  const command = commands.find((one) => one.name === name)
  if (command !== undefined) return command
  const near = commands.filter((one) => one.name.startsWith(name.slice(0, 2))).map((one) => one.name)
  throw usage(
    'command',
    `there is no such command${near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`}`,
  )
}

function tell(error: unknown, name: string | undefined, json: boolean, io: CliIo): CliExitCode {
  const typed = isTyped(error)
  const code = typed ? error.code : 'INTERNAL'
  const place = typed ? error.place : 'sealpool'
  // An error that nobody foresaw may quote anything.
  const message = typed
    ? error.message
    : 'an error that was not foreseen; run with NODE_DEBUG=sealpool to see it'
  if (!typed && io.env['NODE_DEBUG'] === 'sealpool') io.err(`${harmless(String(error))}\n`)
  if (json) io.out(`${jsonText({ error: { code, place, message } })}\n`)
  else io.err(`sealpool: ${harmless(message)}\n`)
  const hint = hintOf(error)
  if (!json && hint !== undefined) io.err(`Try: ${hint}\n`)
  if (code === 'OPTION_INVALID') {
    if (!json)
      io.err(
        `Try: sealpool ${name === undefined || !commands.some((one) => one.name === name) ? '' : `${name} `}--help\n`,
      )
    return 2
  }
  // The node says no: to this caller, or to this call.
  const refusals = [
    'SIGN_IN_REQUIRED',
    'ROLE_NOT_ALLOWED',
    'TOKEN_OUT_OF_SCOPE',
    'TOKEN_EXPIRED',
    'TOKEN_REVOKED',
  ]
  if (error instanceof ClientError && refusals.includes(error.nodeCode ?? '')) return 1
  const answersNo = ['NOT_READY', 'JOB_REFUSED', 'PREFLIGHT_FAILED', 'RESULT_INVALID', ...grantRefusals]
  return answersNo.includes(code) ? 1 : 3
}

function isTyped(
  error: unknown,
): error is ClientError | ContractsError | BlobStoreError | CryptoError | AttestError {
  return [ClientError, ContractsError, BlobStoreError, CryptoError, AttestError].some(
    (kind) => error instanceof kind,
  )
}
