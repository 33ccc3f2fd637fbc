/**
 * The real program, `sealpool-node start`, as a process of its own.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { descendants, runs } from '../packages/enclave-node/src/testing/processes.js'
import { track } from './process-list.js'

const program = fileURLToPath(new URL('../packages/enclave-node/dist/cli/sealpool-node.js', import.meta.url))
const clockShift = new URL('./clock-shift.mjs', import.meta.url).href

/** One line of the node's log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** How to start a node. */
export interface NodeStart {
  readonly config: string
  /** `SEALPOOL_TRANSACTION_KEY` and the like; nothing else of this program's environment reaches the node. */
  readonly secrets: Readonly<Record<string, string>>
  /** What it writes is added to this file. */
  readonly logFile: string
  /** File that moves its clock. */
  readonly clockFile: string
}

/** A node that was started. */
export interface NodeProcess {
  readonly pid: number
  readonly startedAt: number
  /** Its address, once it listens. It fails when the program ends before. */
  readonly url: Promise<string>
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  isRunning(): boolean
  /** Tells of each log line until the returned function is called. */
  onLine(listener: (line: LogLine) => void): () => void
  /** kill -9, and waits until it and the processes that it had started are gone. @returns those that stayed */
  kill(): Promise<number[]>
  /** SIGTERM, and waits as long. */
  stop(): Promise<{ readonly code: number | NodeJS.Signals; readonly stayed: number[] }>
}

/** Starts the program. */
export function startNodeProcess({ config, secrets, logFile, clockFile }: NodeStart): NodeProcess {
  const startedAt = performance.now()
  const child: ChildProcess = track(
    spawn(
      process.execPath,
      ['--import', clockShift, program, 'start', '--config', config, '--stop-with-stdin'],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        // Core files would fall into the working folder.
        cwd: dirname(config),
        env: {
          PATH: process.env['PATH'] ?? '',
          TMPDIR: process.env['TMPDIR'] ?? tmpdir(),
          SEALPOOL_CHAOS_CLOCK: clockFile,
          ...secrets,
        },
      },
    ),
  )
  // Its end is told by `ended`; a pipe that breaks with it tells nothing more.
  child.stdin?.on('error', () => undefined)
  const listeners = new Set<(line: LogLine) => void>()
  const log = createWriteStream(logFile, { flags: 'a' })
  let last = ''
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.write(`${line}\n`)
      last = line
      const parsed = lineOf(line)
      if (parsed !== undefined) for (const listener of listeners) listener(parsed)
    })
  }
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, signal) => {
      resolve(signal ?? code ?? 1)
      log.end()
    }),
  )
  const url = new Promise<string>((resolve, reject) => {
    void ended.then((code) => reject(new Error(`the node ended with ${code} before it listened: ${last}`)))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`)
      resolve((JSON.parse(line) as { url: string }).url)
    })
  })
  // Whoever killed it before it listened does not ask for its address.
  url.catch(() => undefined)
  const pid = child.pid ?? -1
  const end = async (signal: NodeJS.Signals) => {
    const family = await descendants(pid)
    child.kill(signal)
    const code = await ended
    const stayed = await whoStays(family)
    return { code, stayed }
  }
  return {
    pid,
    startedAt,
    url,
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    onLine(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    kill: async () => (await end('SIGKILL')).stayed,
    stop: () => end('SIGTERM'),
  }
}

/** Who of a family still runs after ten seconds; they are ended then. */
async function whoStays(family: readonly number[]): Promise<number[]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const alive = await Promise.all(family.map(runs))
    if (!alive.includes(true)) return []
    await sleep(50)
  }
  const stayed: number[] = []
  for (const pid of family) {
    if (!(await runs(pid))) continue
    stayed.push(pid)
    process.kill(pid, 'SIGKILL')
  }
  return stayed
}

function lineOf(text: string): LogLine | undefined {
  try {
    const line = JSON.parse(text) as LogLine
    return typeof line.msg === 'string' ? line : undefined
  } catch {
    return undefined
  }
}
