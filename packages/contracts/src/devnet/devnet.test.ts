import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClient, createWalletClient, http, parseEther } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBalance, getBlock, getChainId, mine } from 'viem/actions'
import { foundry } from 'viem/chains'
import { expect, test } from 'vitest'
import { ContractsError } from '../errors.js'
import { transactionOf } from '../testing/transaction-of.js'
import { findAnvil } from './anvil.js'
import { startDevnet } from './index.js'

const clientOf = (rpcUrl: string) =>
  createWalletClient({ chain: foundry, transport: http(rpcUrl, { retryCount: 0 }) })

test('answers on a free port with the accounts it names, and is gone after stop', async () => {
  const devnet = await startDevnet({ accounts: 3, chainId: 4242 })
  const client = clientOf(devnet.rpcUrl)
  expect(await getChainId(client)).toBe(4242)
  expect(devnet.accounts).toHaveLength(3)
  for (const { address, privateKey } of devnet.accounts) {
    expect(privateKeyToAccount(privateKey).address).toBe(address)
    expect(await getBalance(client, { address })).toBe(parseEther('10000'))
  }
  await devnet.stop()
  await devnet.stop()
  await expect(getChainId(client)).rejects.toThrow()
})

test('keeps what it writes in a temporary folder, which goes when it stops or never starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-devnet-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const devnet = await startDevnet()
    const [states] = await readdir(folder)
    // More states than anvil holds in memory.
    await mine(createTestClient({ mode: 'anvil', transport: http(devnet.rpcUrl) }), { blocks: 1500 })
    expect(await readdir(join(folder, states ?? ''))).not.toEqual([])
    await devnet.stop()
    expect(await readdir(folder)).toEqual([])
    await expect(startDevnet({ hardfork: 'of no such name' })).rejects.toThrow()
    expect(await readdir(folder)).toEqual([])
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    await rm(folder, { recursive: true })
  }
})

test('lets time pass', async () => {
  const devnet = await startDevnet()
  const before = await getBlock(clientOf(devnet.rpcUrl))
  await devnet.advanceTime(10_000)
  const after = await getBlock(clientOf(devnet.rpcUrl))
  expect(Number(after.timestamp - before.timestamp)).toBeGreaterThanOrEqual(10_000)
  await devnet.stop()
})

test('a chain that is not up in time, or not at all, is an error and leaves nothing behind', async () => {
  await expect(startDevnet({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ANVIL_FAILED' })
  await expect(startDevnet({ hardfork: 'of no such name' })).rejects.toMatchObject({
    code: 'ANVIL_FAILED',
    message: expect.stringContaining('anvil ended'),
  })
})

test('what the chain refuses is an error, and it can be stopped twice', async () => {
  const devnet = await startDevnet()
  await expect(devnet.advanceTime('soon' as never)).rejects.toMatchObject({ code: 'ANVIL_FAILED' })
  await devnet.stop()
  await devnet.stop()
})

test('remembers its state in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-devnet-'))
  const stateFile = join(folder, 'state.json')
  const address = `0x${'ab'.repeat(20)}` as const
  const first = await startDevnet({ stateFile })
  await transactionOf(first, { to: address, value: 7n })
  await first.stop()
  const second = await startDevnet({ stateFile })
  expect(await getBalance(clientOf(second.rpcUrl), { address })).toBe(7n)
  await second.stop()
  await rm(folder, { recursive: true })
})

test.runIf(process.platform === 'linux')(
  'says so when it had to be killed before its state was written',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealpool-devnet-'))
    const stateFile = join(folder, 'state.json')
    const devnet = await startDevnet({ stateFile, timeoutMs: 3_000 })
    const stopped: number[] = []
    for (const process_ of await readdir('/proc')) {
      const words = await readFile(`/proc/${process_}/cmdline`, 'utf8').catch(() => '')
      if (words.split('\0').includes(stateFile)) stopped.push(Number(process_))
    }
    for (const id of stopped) process.kill(id, 'SIGSTOP')
    await expect(devnet.stop()).rejects.toMatchObject({
      code: 'ANVIL_FAILED',
      message: expect.stringContaining('its state file may be old'),
    })
    // The shell that watches over the chain stands still, too, and would for ever.
    for (const id of stopped) {
      if (existsSync(`/proc/${id}`)) process.kill(id, 'SIGCONT')
    }
    await rm(folder, { recursive: true })
  },
)

test('keeps old states on disk unless told not to: then the oldest are gone', async () => {
  const address = `0x${'ab'.repeat(20)}` as const
  for (const [persistedStates, kept] of [
    [700, true],
    [0, false],
  ] as const) {
    const devnet = await startDevnet({ persistedStates })
    const client = clientOf(devnet.rpcUrl)
    await client.request({ method: 'anvil_mine' as never, params: ['0x2bc'] as never })
    const old = getBalance(client, { address, blockNumber: 1n }).then(
      () => true,
      () => false,
    )
    expect(await old).toBe(kept)
    expect(await getBalance(client, { address, blockNumber: 690n })).toBe(0n)
    await devnet.stop()
  }
})

test('says what failed when the port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(startDevnet({ port, timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'ANVIL_FAILED' })
  server.close()
})

test('says what to install when anvil is nowhere', () => {
  const { platform } = process
  // A platform without an npm package of its own.
  Object.defineProperty(process, 'platform', { value: 'plan9' })
  try {
    expect(() => findAnvil('/nonexistent')).toThrow(ContractsError)
    expect(() => findAnvil(undefined)).toThrow(/install the npm package @foundry-rs\/anvil-plan9/)
  } finally {
    Object.defineProperty(process, 'platform', { value: platform })
  }
})

test('ends with its parent, even when that is killed', async () => {
  const script = `import { startDevnet } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
const devnet = await startDevnet()
console.log(devnet.rpcUrl)
setInterval(() => {}, 1000)`
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-devnet-'))
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  })
  const rpcUrl = await new Promise<string>((resolve) => {
    parent.stdout.once('data', (bytes) => resolve(String(bytes).trim()))
  })
  const client = clientOf(rpcUrl)
  expect(await getChainId(client)).toBe(31_337)
  const left = async () => (await readdir(folder)).filter((name) => name.startsWith('sealpool-anvil-'))
  expect(await left()).toHaveLength(1)
  parent.kill('SIGKILL')
  await expect
    .poll(
      () =>
        getChainId(client).then(
          () => 'alive',
          () => 'gone',
        ),
      { timeout: 10_000 },
    )
    .toBe('gone')
  await expect.poll(left, { timeout: 10_000 }).toEqual([])
  await rm(folder, { recursive: true })
})
