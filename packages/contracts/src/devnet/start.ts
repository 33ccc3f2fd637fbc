import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, Hex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { toHex } from 'viem/utils'
import { ContractsError } from '../errors.js'
import { findAnvil } from './anvil.js'

/** How to start a local chain. */
export interface DevnetOptions {
  /** 0 (default): any free port. */
  readonly port?: number
  /** Default 31337. */
  readonly chainId?: number
  /** Loaded when it exists, written at `stop()`. */
  readonly stateFile?: string
  /** Funded accounts; default 10. */
  readonly accounts?: number
  /** Rules of the chain, for example `prague`; default: anvil's newest. `osaka` and later verify P-256 at 0x100. */
  readonly hardfork?: string
  /** Unix seconds of the first block; default: now. */
  readonly timestamp?: number
  /**
   * Most states of old blocks that anvil writes to disk (about 1 MB each), beside some hundred newest that it keeps in memory; 0: none.
   * Default: anvil's own, some thousand.
   */
  readonly persistedStates?: number
  /** Milliseconds until it must answer, and until it must be gone after `stop()`; default 15,000. */
  readonly timeoutMs?: number
}

/** A funded account of the local chain. Its key is public knowledge. */
export interface DevnetAccount {
  readonly address: Address
  readonly privateKey: Hex
}

/** A running local chain. */
export interface Devnet {
  readonly rpcUrl: string
  readonly chainId: number
  readonly accounts: readonly DevnetAccount[]
  /** Lets chain time pass and mines a block. */
  advanceTime(seconds: number): Promise<void>
  /**
   * Stops the process and waits until it is gone; may be called again. `ANVIL_FAILED` when it had a state file to write
   * and had to be killed.
   */
  stop(): Promise<void>
}

/** The mnemonic that every development chain uses; worthless elsewhere. */
const MNEMONIC = 'test test test test test test test test test test test junk'

/**
 * Starts anvil on 127.0.0.1 and waits until it answers. It mines each transaction at once. It stops with `stop()`, and
 * also when this process ends. Older states of the chain lie in a temporary folder, which goes with it.
 *
 * @param options - port, rules and time limit; default: a free port, chain 31337, 10 accounts
 * @returns the running chain: its address, its funded accounts, and how to stop it
 * @throws {ContractsError} `ANVIL_NOT_FOUND`; `ANVIL_FAILED` when it ends or does not answer in time.
 * @example
 * const devnet = await startDevnet()
 * const client = createWalletClient({ account: privateKeyToAccount(devnet.accounts[0].privateKey), transport: http(devnet.rpcUrl) })
 * await devnet.stop()
 */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const chainId = options.chainId ?? 31_337
  const timeout = options.timeoutMs ?? 15_000
  const count = options.accounts ?? 10
  const program = findAnvil(process.env['PATH'])
  // By itself anvil keeps them in the home folder, where they stay for ever: gigabytes after some days of tests.
  const states = await mkdtemp(join(tmpdir(), 'sealpool-anvil-'))
  const child = launch(states, program, [
    ...[
      '--cache-path',
      states,
      '--host',
      '127.0.0.1',
      '--port',
      String(options.port ?? 0),
      '--chain-id',
      String(chainId),
    ],
    ...['--accounts', String(count), '--mnemonic', MNEMONIC],
    ...(options.hardfork === undefined ? [] : ['--hardfork', options.hardfork]),
    ...(options.timestamp === undefined ? [] : ['--timestamp', String(options.timestamp)]),
    ...(options.stateFile === undefined ? [] : ['--state', options.stateFile]),
    ...(options.persistedStates === undefined
      ? []
      : ['--max-persisted-states', String(options.persistedStates)]),
  ])
  const stop = async () => {
    const killed = await end(child, timeout)
    await rm(states, { recursive: true, force: true })
    if (killed && options.stateFile !== undefined) {
      throw new ContractsError(
        'ANVIL_FAILED',
        'stop',
        `the chain did not end within ${timeout} ms and was killed: its state file may be old, cut or missing`,
      )
    }
  }
  try {
    const rpcUrl = `http://${await listening(child, timeout)}`
    const answered = await rpc(rpcUrl, 'eth_chainId', [])
    if (answered !== toHex(chainId)) {
      throw new ContractsError('ANVIL_FAILED', 'startDevnet', `the chain answers as ${String(answered)}`)
    }
    return {
      rpcUrl,
      chainId,
      accounts: derive(count),
      advanceTime: async (seconds) => {
        await rpc(rpcUrl, 'evm_increaseTime', [seconds])
        await rpc(rpcUrl, 'evm_mine', [])
      },
      stop,
    }
  } catch (error) {
    await end(child, 5_000)
    await rm(states, { recursive: true, force: true })
    throw error
  }
}

/**
 * Becomes anvil, after leaving a watchman behind who reads a pipe that this process holds: when this process is gone,
 * however it went (`exit` handlers do not run on SIGKILL or SIGTERM), the pipe closes, the chain ends with it, and its folder goes.
 */
const WATCHED = `exec 3<&0
states=$1; shift
( read -r _ <&3
  if kill -INT $$; then
    tries=0; while kill -0 $$ && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL $$
  fi
  rm -rf "$states" ) </dev/null >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`

function launch(states: string, program: string, args: readonly string[]): ChildProcess {
  if (process.platform === 'win32') return spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  return spawn('/bin/sh', ['-c', WATCHED, 'anvil', states, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

function derive(count: number): DevnetAccount[] {
  return Array.from({ length: count }, (_, addressIndex) => {
    const account = mnemonicToAccount(MNEMONIC, { addressIndex })
    const { privateKey } = account.getHdKey()
    if (privateKey === null) throw new ContractsError('ANVIL_FAILED', 'startDevnet', 'an account has no key')
    return { address: account.address, privateKey: toHex(privateKey) }
  })
}

/** Resolves with host and port once anvil prints them, and keeps its pipes drained afterwards. */
function listening(child: ChildProcess, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    let errors = ''
    const fail = (message: string, cause?: unknown) =>
      reject(new ContractsError('ANVIL_FAILED', 'startDevnet', message, { cause }))
    const timer = setTimeout(() => fail(`anvil did not listen within ${timeout} ms`), timeout)
    const settled = () => clearTimeout(timer)
    child.once('error', (cause) => {
      settled()
      fail('anvil could not be started', cause)
    })
    child.once('exit', (code, signal) => {
      settled()
      fail(`anvil ended (${signal ?? code}): ${errors.trim().slice(0, 500)}`)
    })
    child.stderr?.on('data', (bytes) => {
      if (errors.length < 2_000) errors += String(bytes)
    })
    child.stdout?.on('data', (bytes) => {
      if (output.length > 100_000) return
      output += String(bytes)
      const found = /Listening on (\S+:\d+)/.exec(output)?.[1]
      if (found === undefined) return
      settled()
      output = ' '.repeat(100_001)
      resolve(found)
    })
  })
}

async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = (await response.json()) as { result?: unknown; error?: { message?: string } }
  if (answer.error !== undefined) {
    throw new ContractsError('ANVIL_FAILED', `devnet ${method}`, String(answer.error.message))
  }
  return answer.result
}

/** Ends the process; true when it had to be killed. */
async function end(child: ChildProcess, patience: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return false
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // SIGINT lets anvil write its state file; if it hangs, it is killed.
  if (!child.kill('SIGINT')) return false
  let killed = false
  const timer = setTimeout(() => {
    killed = child.kill('SIGKILL')
  }, patience)
  await gone
  clearTimeout(timer)
  child.stdin?.destroy()
  return killed
}
