import { dirname } from 'node:path'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { bundlePoc } from '../bundle/index.js'
import { PocError } from '../errors.js'
import { type Command, readArguments, USAGE, UsageError } from './arguments.js'
import { createProject } from './create-project.js'
import { judgeFile } from './judge-file.js'
import { scoreCard } from './score-card.js'
import { testFolder } from './test-folder.js'
import { watchAndRun } from './watch.js'

/** What {@link runPocCli} needs from the process. */
export interface PocCliIo {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Ends `--watch`. */
  readonly signal: AbortSignal
}

/** 0: valid, or all as labelled. 1: refused, or an example differs. 2: unreadable. 3: the proof fails. */
export type PocExitCode = 0 | 1 | 2 | 3

/**
 * The `sealpool-poc` command as a function.
 *
 * @param args command line without node and the script
 * @param io where it writes
 * @returns the exit code
 */
export async function runPocCli(args: readonly string[], io: PocCliIo): Promise<PocExitCode> {
  const attempt = async (work: () => Promise<PocExitCode>): Promise<PocExitCode> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof UsageError) {
        io.writeError(`${error.message}\n`)
        return 2
      }
      if (!(error instanceof PocError)) throw error
      io.writeError(`${error.code}: ${error.message}\n`)
      return 3
    }
  }
  return attempt(async () => {
    const command = readArguments(args)
    if (command.name === 'help') {
      io.write(USAGE)
      return 0
    }
    if (command.name === 'create') {
      for (const file of await createProject(command.folder)) io.write(`${file}\n`)
      return 0
    }
    if (!command.watch) return judge(command, io)
    let last: PocExitCode = 0
    const folders = new Set([
      dirname(command.poc),
      command.name === 'test' ? command.folder : dirname(command.file),
    ])
    await watchAndRun({
      folders: [...folders],
      signal: io.signal,
      work: async () => {
        // A proof that does not bundle at the moment is told, and the watch goes on.
        last = await attempt(() => judge(command, io))
      },
    })
    return last
  })
}

async function judge(
  command: Extract<Command, { readonly name: 'run' | 'test' }>,
  io: PocCliIo,
): Promise<PocExitCode> {
  const poc = await bundlePoc({ entry: command.poc })
  const runtime = await createProcessRuntime({ isolation: command.isolation })
  try {
    if (command.name === 'run') {
      const verdict = await judgeFile({ ...command, poc, runtime })
      io.write(command.json ? `${JSON.stringify(verdict)}\n` : scoreCard(verdict))
      return verdict.valid ? 0 : 1
    }
    const outcomes = await testFolder({ poc, runtime, folder: command.folder })
    const differing = outcomes.filter(({ agrees }) => !agrees)
    if (command.json) io.write(`${JSON.stringify({ poc: poc.digest, outcomes })}\n`)
    else {
      for (const { name, agrees, differences } of outcomes) {
        io.write(`${agrees ? 'ok  ' : 'FAIL'} ${name}${agrees ? '' : `: ${differences.join('; ')}`}\n`)
      }
      io.write(`${outcomes.length - differing.length} as labelled, ${differing.length} differ\n`)
    }
    return differing.length === 0 ? 0 : 1
  } finally {
    await runtime.close()
  }
}
