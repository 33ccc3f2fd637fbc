import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { SandboxError } from '@sealpool/sandbox'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { bundlePoc } from '../bundle/index.js'
import { PocError } from '../errors.js'
import { type Command, readArguments, USAGE, UsageError } from './arguments.js'
import { createProject } from './create-project.js'
import { filesOf } from './files-of.js'
import { judgeFiles } from './judge-files.js'
import { hearAnswer, type IsOwnOutput } from './own-output.js'
import { harmless } from './score-card.js'
import { testFolder } from './test-folder.js'
import { UnreadableFile } from './unreadable-file.js'
import { verifyFile } from './verify-file.js'
import { watchAndRun } from './watch.js'
import { watchedState } from './watched-state.js'

/** What {@link runPocCli} needs from the process. */
export interface PocCliIo {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Ends the command at once; of a watch that is the way it ends. */
  readonly signal: AbortSignal
  /** Which files what it writes goes to; none when absent. */
  readonly isOwnOutput?: IsOwnOutput
}

/** 0: valid, or all as labelled. 1: refused, or an example differs. 2: unreadable. 3: the proof fails. */
export type PocExitCode = 0 | 1 | 2 | 3

/**
 * The `sealpool-poc` command as a function.
 *
 * @param args command line without node and the script
 * @param given where it writes
 * @returns the exit code
 * @throws the signal's reason when a command other than a watch was ended by it
 */
export async function runPocCli(args: readonly string[], given: PocCliIo): Promise<PocExitCode> {
  const isJson = args.includes('--json')
  const answer = hearAnswer(given)
  const isOwnOutput: IsOwnOutput = async (path) =>
    (await given.isOwnOutput?.(path)) === true || (await answer.isEcho(path))
  const io: PocCliIo = { ...given, write: answer.write, writeError: answer.writeError }
  // Programs read standard output: with --json they find there that there is no answer.
  const tell = (code: string, message: string, text: string): void => {
    if (isJson) io.write(`${JSON.stringify({ error: { code, message } })}\n`)
    io.writeError(text)
  }
  const attempt = async (work: () => Promise<PocExitCode>): Promise<PocExitCode> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof UsageError) {
        const message = harmless(error.message)
        tell('OPTION_INVALID', message, `${message}\nTry: sealpool-poc --help\n`)
        return 2
      }
      if (error instanceof UnreadableFile) {
        const message = harmless(error.message)
        tell(error.code, message, `${error.code}: ${message}\n`)
        return 2
      }
      // The machine, and not the proof: a runtime or an isolation that is not to be had here.
      if (error instanceof SandboxError && error.code === 'RUNTIME_UNAVAILABLE') {
        tell(error.code, error.message, `${error.code}: ${harmless(error.message)}\n`)
        return 2
      }
      if (!(error instanceof PocError)) throw error
      tell(error.code, error.message, `${error.code}: ${harmless(error.message)}\n`)
      return 3
    }
  }
  return attempt(async () => {
    if (args.length === 0) {
      io.writeError(USAGE)
      return 2
    }
    const command = readArguments(args)
    if (command.name === 'help') {
      io.write(USAGE)
      return 0
    }
    if (command.name === 'version') {
      io.write(`sealpool-poc ${ownVersion()}\n`)
      return 0
    }
    if (command.name === 'create') {
      const files = await createProject(command.folder)
      io.write(command.json ? `${JSON.stringify({ files })}\n` : files.map((file) => `${file}\n`).join(''))
      return 0
    }
    if (command.name === 'verify') return verifyFile(command, io)
    if (!command.watch) return judge(command, io, isOwnOutput)
    let last: PocExitCode = 0
    const folders = new Set([dirname(command.poc), await folderOf(command, isOwnOutput)])
    await watchAndRun({
      folders: [...folders],
      signal: io.signal,
      tell: io.writeError,
      state: () => watchedState(command, isOwnOutput),
      work: async () => {
        // A proof that does not bundle at the moment is told, and the watch goes on.
        last = await attempt(() => judge(command, io, isOwnOutput)).catch((error: unknown) => {
          if (io.signal.aborted) return last
          throw error
        })
      },
    })
    return last
  })
}

/** The version of this package, from its manifest. */
function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('@sealpool/poc/package.json') as {
    readonly version: string
  }
  return version
}

async function folderOf(
  command: Extract<Command, { readonly name: 'run' | 'test' }>,
  isOwnOutput: IsOwnOutput,
): Promise<string> {
  if (command.name === 'test') return command.folder
  return (await filesOf(command.file, isOwnOutput)).isFolder ? command.file : dirname(command.file)
}

async function judge(
  command: Extract<Command, { readonly name: 'run' | 'test' }>,
  io: PocCliIo,
  isOwnOutput: IsOwnOutput,
): Promise<PocExitCode> {
  const poc = await bundlePoc({ entry: command.poc })
  const runtime = await createProcessRuntime({ isolation: command.isolation })
  // A run in the middle is not waited for: it may take half a minute.
  const end = (): void => {
    void runtime.close()
  }
  io.signal.addEventListener('abort', end, { once: true })
  try {
    if (command.name === 'run') return await judgeFiles({ command, io, isOwnOutput, poc, runtime })
    const outcomes = await testFolder({ poc, runtime, folder: command.folder, isOwnOutput })
    const differing = outcomes.filter(({ agrees }) => !agrees)
    if (command.json) io.write(`${JSON.stringify({ poc: poc.digest, outcomes })}\n`)
    else {
      for (const { name, agrees, differences } of outcomes) {
        io.write(
          `${agrees ? 'ok  ' : 'FAIL'} ${harmless(name)}${agrees ? '' : `: ${differences.join('; ')}`}\n`,
        )
      }
      io.write(`${outcomes.length - differing.length} as labelled, ${differing.length} differ\n`)
    }
    if (outcomes.some(({ error }) => error !== undefined)) return 2
    return differing.length === 0 ? 0 : 1
  } catch (error) {
    // What a runtime says that was closed is no fault of the proof.
    io.signal.throwIfAborted()
    throw error
  } finally {
    io.signal.removeEventListener('abort', end)
    await runtime.close()
  }
}
