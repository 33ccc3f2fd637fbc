import { type ChildProcess, spawn } from 'node:child_process'
import type { TextJob, TextResult } from '../engine.js'
import { SandboxError } from '../errors.js'
import { failure } from '../failure.js'
import { createFrameReader, encodeFrame, type Message } from './frame.js'
import { withoutInherited } from './inherited-descriptors.js'
import { PROTOCOL, readAnswer } from './protocol.js'

/** A running child that takes one job at a time. */
export interface Child {
  /** False once the process has ended or is being killed. */
  readonly alive: boolean
  /** Its process id, for tests and logs. */
  readonly pid: number | undefined
  run(job: TextJob): Promise<TextResult>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

/** Program and arguments of a child. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
}

const START_MS = 15_000
// QuickJS stops itself at the deadline; the kill is for steps it cannot interrupt. The slack covers moving the texts.
const SLACK_MS = 250
const MILLISECONDS_PER_MIB = 40
const LAST_LOOK_MS = 50
// V8 aborts when its heap is full (SIGABRT, SIGTRAP), which the job did. A SIGKILL is the kernel's when the machine's memory is full, or
// somebody's: it says nothing about the job, which may not even have begun, so that run counts as lost and is to be run again.
const memorySignals = new Set(['SIGABRT', 'SIGTRAP', '134', '133'])

/**
 * Starts a child and waits until it says it is ready.
 *
 * @param command what to start
 * @throws {@link SandboxError} `RUNTIME_UNAVAILABLE` when it does not become ready
 */
export async function startChild(command: Command): Promise<Child> {
  const child = withoutInherited(3, (covered) =>
    spawn(command.program, command.args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe', ...covered] }),
  )
  const { stdin, stdout, stderr } = pipesOf(child)
  let ended = false
  let early = ''
  let answerLimit = 0
  let waiting: ((message: Message | { readonly lost: string }) => void) | undefined

  const gone = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      if (!ended) {
        ended = true
        settle({ lost: how })
      }
      resolve()
    }
    child.on('error', (error) => end(error.message))
    child.on('exit', (code, signal) => end(signal ?? String(code)))
  })
  function settle(message: Message | { readonly lost: string }): void {
    const take = waiting
    waiting = undefined
    take?.(message)
  }
  async function kill(): Promise<void> {
    ended = true
    // Whoever waits for the end must see it: the event loop has to live until the child is gone.
    child.ref()
    child.kill('SIGKILL')
    settle({ lost: 'killed' })
    await gone
  }

  const reader = createFrameReader(
    () => answerLimit,
    (message) => {
      // A child answers once per job; one that speaks unasked would have its answer taken for the next job's.
      if (waiting === undefined) void kill()
      else settle(message)
    },
  )
  stdout.on('data', (chunk: Uint8Array) => {
    if (!reader.push(chunk)) {
      settle({ lost: 'protocol' })
      void kill()
    }
  })
  // Before it is ready nothing private is in the child, and why it did not start is worth knowing; later it is dropped.
  stderr.on('data', (chunk: Uint8Array) => {
    if (early.length < 500) early += new TextDecoder().decode(chunk).slice(0, 500 - early.length)
  })
  stdin.on('error', () => {})
  stdout.on('error', () => {})

  function exchange(
    frame: Uint8Array | undefined,
    milliseconds: number,
  ): Promise<Message | { lost: string }> {
    return new Promise((resolve) => {
      if (ended) return resolve({ lost: 'ended' })
      // When this process itself was busy past the deadline, the timer fires before the pipe is read: the answer may
      // be there already, and the second, short timer lets it in.
      let timer = setTimeout(() => {
        timer = setTimeout(() => settle({ lost: 'deadline' }), LAST_LOOK_MS)
      }, milliseconds)
      waiting = (message) => {
        clearTimeout(timer)
        resolve(message)
      }
      if (frame !== undefined) stdin.write(frame, () => frame.fill(0))
    })
  }

  const hello = await exchange(undefined, START_MS)
  if (!('head' in hello) || hello.head['ready'] !== PROTOCOL) {
    await kill()
    const why =
      'lost' in hello ? `it ended with ${hello.lost}: ${early.trim()}` : 'it speaks another protocol; rebuild'
    throw new SandboxError('RUNTIME_UNAVAILABLE', 'process', `the child did not become ready, ${why}`)
  }
  // An idle child must not keep the parent's event loop alive; while a job runs, its kill timer does.
  child.unref()
  for (const stream of [stdin, stdout, stderr]) {
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
  }

  return {
    get alive() {
      return !ended
    },
    pid: child.pid,
    kill,
    async run({ code, entry, input, attachments = [], limits }) {
      const frame = encodeFrame({ limits }, [code, entry, input, ...attachments])
      answerLimit = limits.outputBytes
      const moving = ((frame.length + limits.outputBytes) / 2 ** 20) * MILLISECONDS_PER_MIB
      const message = await exchange(frame, limits.timeMs + SLACK_MS + Math.ceil(moving))
      if ('head' in message) {
        const answer = readAnswer(message)
        if (!answer.ok && answer.code === 'RUNTIME_LOST') await kill()
        return answer
      }
      await kill()
      if (message.lost === 'deadline') return failure('TIMEOUT', 'run')
      return failure(memorySignals.has(message.lost) ? 'OUT_OF_MEMORY' : 'RUNTIME_LOST', 'run')
    },
  }
}

function pipesOf({ stdin, stdout, stderr }: ChildProcess) {
  if (stdin === null || stdout === null || stderr === null) throw new TypeError('pipes were asked for')
  return { stdin, stdout, stderr }
}
