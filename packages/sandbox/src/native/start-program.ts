import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Command } from '../process/child.js'
import { withoutInherited } from '../process/inherited-descriptors.js'
import { BEGUN } from './launcher.js'

/** How a program ended. */
export interface Ending {
  /** Whether every wall stood and the program was started; nothing before that is its doing. */
  readonly begun: boolean
  /** What ended it: itself (or whoever killed it), its deadline, what it wrote beyond the limit, or the caller. */
  readonly by: 'itself' | 'deadline' | 'output' | 'caller'
  /** Its status, or 128 and the signal that ended it, as shells have it. */
  readonly status: number
  /** What it wrote. */
  readonly output: Uint8Array
  /** What was said before it began, where that was asked for. */
  readonly complaint: string
}

/** A program under way. */
export interface RunningProgram {
  readonly ended: Promise<Ending>
  /** SIGKILL; `ended` tells when it is gone. */
  kill(): void
}

const START_MS = 15_000
const MILLISECONDS_PER_MIB = 40
const LAST_LOOK_MS = 50
const LONGEST_COMPLAINT = 500

/**
 * Starts a command that becomes a program, gives it its input and takes its output, and ends it when it takes too long or writes too much.
 *
 * @param options - `feeds`: what the command reads from the descriptors from 3 on; `timeMs` counts from where the program has begun;
 *   `outputBytes`: the most it may write; `complains`: whether to read what is said on the way, while nothing private is in there
 * @returns the program
 */
export function startProgram(options: {
  readonly command: Command
  readonly feeds: readonly Uint8Array[]
  readonly input: Uint8Array
  readonly timeMs: number
  readonly outputBytes: number
  readonly complains?: boolean
}): RunningProgram {
  const { command, feeds, input, outputBytes } = options
  const complaints = options.complains === true ? 'pipe' : 'ignore'
  const own = ['pipe', 'pipe', complaints, ...feeds.map(() => 'pipe' as const)] as const
  const child = withoutInherited(own.length, (covered) =>
    spawn(command.program, command.args, { env: {}, cwd: '/', stdio: [...own, ...covered] }),
  )
  const read = { begun: false, complaint: '', chunks: [] as Uint8Array[], held: 0 }
  let by: Ending['by'] = 'itself'
  const end = (why: Ending['by']): void => {
    if (by === 'itself') by = why
    child.kill('SIGKILL')
  }
  // When this process itself was busy past the deadline, the timer fires before the pipe is read: the answer may be there already,
  // and the second, short timer lets it in.
  let timer = setTimeout(() => end('deadline'), START_MS)
  const arm = (milliseconds: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = setTimeout(() => end('deadline'), LAST_LOOK_MS)
    }, milliseconds)
  }
  child.stdout?.on('data', (chunk: Uint8Array) => {
    let rest = chunk
    if (!read.begun) {
      if (chunk[0] !== BEGUN) return end('caller')
      read.begun = true
      rest = chunk.subarray(1)
      const moving = ((input.length + outputBytes) / 2 ** 20) * MILLISECONDS_PER_MIB
      arm(options.timeMs + Math.ceil(moving))
    }
    read.held += rest.length
    if (read.held > outputBytes) end('output')
    else read.chunks.push(rest)
  })
  child.stderr?.on('data', (chunk: Uint8Array) => {
    const more = new TextDecoder().decode(chunk)
    read.complaint = `${read.complaint}${more}`.slice(0, LONGEST_COMPLAINT)
  })
  const ended = endOf(child).then(({ status, complaint }): Ending => {
    clearTimeout(timer)
    return {
      begun: read.begun,
      by,
      status,
      output: Buffer.concat(read.chunks),
      complaint: `${read.complaint}${complaint}`.trim(),
    }
  })
  for (const [index, bytes] of [input, ...feeds].entries()) {
    const pipe = child.stdio[index === 0 ? 0 : index + 2]
    // A program need not read all of its input, and one that does not start reads nothing.
    pipe?.on('error', () => {})
    if (pipe !== null && pipe !== undefined && 'end' in pipe) pipe.end(bytes)
  }
  return { ended, kill: () => end('caller') }
}

/** Resolves when the process is gone and all that it wrote was read. */
async function endOf(child: ChildProcess): Promise<{ status: number; complaint: string }> {
  const read = new Promise<void>((resolve) => {
    if (child.stdout === null) resolve()
    else child.stdout.on('close', resolve)
  })
  const gone = new Promise<{ status: number; complaint: string }>((resolve) => {
    child.on('exit', (code, signal) => {
      const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      resolve({ status, complaint: '' })
    })
    // It was not even started; there is no exit then, and nothing to read.
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ status: 127, complaint: error.message })
    })
  })
  const how = await gone
  if (child.pid !== undefined) await read
  return how
}
