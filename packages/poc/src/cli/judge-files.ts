import { relative } from 'node:path'
import type { JobRuntime } from '@sealpool/sandbox'
import type { BundledPoc } from '../bundle/index.js'
import type { PocVerdict } from '../verdict/verdict.js'
import type { Command } from './arguments.js'
import { filesOf } from './files-of.js'
import { judgeFile } from './judge-file.js'
import type { IsOwnOutput } from './own-output.js'
import { harmless, scoreCard } from './score-card.js'
import { type FileFault, faultOf, UnreadableFile } from './unreadable-file.js'

/** A file of a folder, with what came of it. */
type Judged = { readonly file: string } & ({ readonly verdict: PocVerdict } | { readonly error: FileFault })

/**
 * Judges a file, or each file of a folder, and says what came of it. A file of a folder that cannot be read is told in its place, and the others
 * are judged.
 *
 * @param options the command, where it writes, proof and runtime, and which files its own answer goes to
 * @returns 0 when all are valid, 1 when some are refused, 2 when some cannot be read
 * @throws UnreadableFile for a file that was named itself, UsageError for a folder without files, PocError of the proof
 */
export async function judgeFiles(options: {
  readonly command: Extract<Command, { readonly name: 'run' }>
  readonly io: { readonly write: (text: string) => void; readonly signal: AbortSignal }
  readonly isOwnOutput: IsOwnOutput
  readonly poc: BundledPoc
  readonly runtime: JobRuntime
}): Promise<0 | 1 | 2> {
  const { command, io, isOwnOutput, poc, runtime } = options
  const { files, unreadable, isFolder } = await filesOf(command.file, isOwnOutput)
  if (!isFolder) {
    const verdict = await judgeFile({ ...command, poc, runtime })
    io.write(command.json ? `${JSON.stringify(verdict)}\n` : scoreCard(verdict))
    return verdict.valid ? 0 : 1
  }
  const faults = new Map(unreadable.map((fault) => [fault.path, fault]))
  const judged: Judged[] = []
  let [valid, refused] = [0, 0]
  for (const path of [...files, ...faults.keys()].sort()) {
    io.signal.throwIfAborted()
    const file = relative(command.file, path)
    const found =
      faults.get(path) ??
      (await judgeFile({ ...command, file: path, poc, runtime }).catch((error: unknown) => {
        if (error instanceof UnreadableFile) return error
        throw error
      }))
    if (found instanceof UnreadableFile) {
      judged.push({ file, error: faultOf(found) })
      if (!command.json) io.write(`${harmless(file)}\nunreadable  ${found.code}: ${found.remedy}\n\n`)
      continue
    }
    judged.push({ file, verdict: found })
    if (found.valid) valid += 1
    else refused += 1
    if (!command.json) io.write(`${harmless(file)}\n${scoreCard(found)}\n`)
  }
  const closed = judged.length - valid - refused
  const counts = `${valid} valid, ${refused} refused${closed === 0 ? '' : `, ${closed} unreadable`}`
  io.write(command.json ? `${JSON.stringify(judged)}\n` : `${counts}\n`)
  if (closed > 0) return 2
  return refused > 0 ? 1 : 0
}
