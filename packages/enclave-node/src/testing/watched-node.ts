/**
 * A node as a process of its own, whose secrets a test is told while they are made: see `secret-tap.mjs`.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { until } from './ask.js'

/** What the node did, as it told. */
export interface TapLine {
  /** 32 bytes that were drawn. */
  readonly drawn?: string
  /** A private key of X25519 that the platform made. */
  readonly generated?: string
  /** A cipher of a key of 32 bytes was set up. */
  readonly cipher?: 'createCipheriv' | 'createDecipheriv'
  readonly key?: string
  readonly nonce?: string
  /** A child is about to be killed. */
  readonly kills?: number
  readonly held?: true
  readonly collected?: true
}

/** A node under watch. */
export interface WatchedNode {
  readonly pid: number
  readonly url: string
  /** What it told so far. */
  readonly lines: readonly TapLine[]
  /** Has it stand still at ciphers of these keys, and before it kills a child whose command has one of these words. */
  holdAt(at: { readonly keys?: readonly Uint8Array[]; readonly killing?: readonly string[] }): Promise<void>
  /** Waits until it stands still. @returns at what */
  held(): Promise<TapLine>
  /** Lets it go on. */
  release(): void
  /** Has it collect its garbage, several times over. */
  collect(): Promise<void>
  /** Ends it. */
  kill(): Promise<void>
}

/** As `masked` of secret-tap.mjs has it; the mask is its own opposite. */
const maskedByte = (byte: number, at: number): number => (byte ^ (at * 89 + 171)) & 255

/** @returns the bytes that a line names */
export function unmasked(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'), maskedByte)
}

/**
 * Starts the built program under watch.
 * @param options `program`: of `sealpool-node`; `config`: its settings; `holds`: a file that tells it where to stand still
 * @returns the node, once it listens
 */
export async function startWatchedNode(options: {
  readonly program: string
  readonly config: string
  readonly transactionKey: string
  readonly holds: string
}): Promise<WatchedNode> {
  const { program, config, transactionKey, holds } = options
  const tap = fileURLToPath(new URL('./secret-tap.mjs', import.meta.url))
  await writeFile(holds, '[]')
  const child: ChildProcess = spawn(
    process.execPath,
    ['--expose-gc', '--import', tap, program, 'start', '--config', config],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        SEALPOOL_TRANSACTION_KEY: transactionKey,
        SEALPOOL_TAP_HOLDS: holds,
      },
    },
  )
  const [, output, errors, told, control] = child.stdio
  if (!output || !errors || !told || !control) throw new Error('pipes were asked for')
  let said = ''
  errors.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-4000)
  })
  const lines: TapLine[] = []
  let standing: TapLine | undefined
  createInterface({ input: told as Readable }).on('line', (text) => {
    const line = JSON.parse(text) as TapLine
    lines.push(line)
    if (line.held) standing = line
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}: ${said}`)))
    createInterface({ input: output as Readable }).once('line', (line) =>
      resolve((JSON.parse(line) as { url: string }).url),
    )
  })
  const pid = child.pid ?? 0
  return {
    pid,
    url,
    lines,
    holdAt: ({ keys = [], killing = [] }) =>
      writeFile(
        holds,
        JSON.stringify([...keys.map((key) => Buffer.from(key.map(maskedByte)).toString('hex')), ...killing]),
      ),
    async held() {
      await until('the node stands still', async () => standing !== undefined)
      return standing ?? {}
    },
    release() {
      standing = undefined
      ;(control as Writable).write('.')
    },
    async collect() {
      const before = lines.filter(({ collected }) => collected).length
      child.kill('SIGUSR2')
      await until('it has collected', async () => lines.filter(({ collected }) => collected).length > before)
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}
