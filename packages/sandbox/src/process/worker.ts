/**
 * The child: runs jobs one after another with QuickJS and answers over stdout. It is started by `createProcessRuntime`
 * with an empty environment and, where that works, under bubblewrap; it holds no handle but its three pipes.
 *
 * @module
 */

import type { Engine } from '../engine.js'
import { failure } from '../failure.js'
import type { Limits } from '../limits.js'
import { validateLimits } from '../limits.js'
import { createFrameReader, encodeFrame, type Message } from './frame.js'
import { PROTOCOL } from './protocol.js'

const LONGEST_REQUEST = 2 * 1024 * 1024 * 1024

// stdout carries frames: a stray print (WebAssembly's abort prints) would break them, and it could hold private data.
for (const name of ['debug', 'error', 'info', 'log', 'warn'] as const) console[name] = () => {}

if (process.argv.includes('--watch-parent')) await watchParent()

const engine = await engineOf(process.argv)
let last = Promise.resolve()
const reader = createFrameReader(
  () => LONGEST_REQUEST,
  (message) => {
    last = last.then(() => answer(message))
  },
)
process.stdin.on('data', (chunk: Uint8Array) => {
  if (!reader.push(chunk)) process.exit(3)
})
process.stdin.on('end', () => process.exit(0))
process.stdin.on('error', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))
process.stdout.write(encodeFrame({ ready: PROTOCOL }, []))

async function answer({ head, texts }: Message): Promise<void> {
  const [code, entry, input, ...attachments] = texts
  if (code === undefined || entry === undefined || input === undefined) process.exit(3)
  const limits = validateLimits(head['limits'] as Limits)
  const result = await engine
    .run({ code, entry, input, attachments, limits })
    .catch(() => failure('RUNTIME_LOST', 'run'))
  const frame = result.ok
    ? encodeFrame({ ok: true, logs: result.logs }, [result.output, ...(result.attachments ?? [])])
    : encodeFrame(result, [])
  process.stdout.write(frame, () => frame.fill(0))
}

/** Each engine is loaded only where it is asked for: under bubblewrap the files of the others are not there. */
async function engineOf(args: readonly string[]): Promise<Engine> {
  if (args.includes('--engine=webassembly')) {
    return (await import('../webassembly/engine.js')).createWebAssemblyEngine()
  }
  if (args.includes('--engine=pyodide')) return (await import('../pyodide/engine.js')).createPyodideEngine()
  return (await import('../quickjs/engine.js')).createEngine()
}

/**
 * Ends this process when its parent is gone, even while QuickJS is in a step that nothing can interrupt: the main
 * thread would learn of the closed pipe only afterwards. Under bubblewrap the kernel does it (--die-with-parent).
 */
async function watchParent(): Promise<void> {
  const { Worker } = await import('node:worker_threads')
  // The parent's id is read here: by the time the thread runs, the parent may be gone and its id another's.
  const watch = `const { parentPort, workerData } = require('node:worker_threads')
    setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL') }, 250)
    parentPort.postMessage('watching')`
  const watcher = new Worker(watch, { eval: true, workerData: process.ppid })
  // Jobs wait for it: a job that cannot be interrupted would keep the thread from starting.
  await new Promise((resolve) => watcher.once('message', resolve))
  watcher.unref()
}
