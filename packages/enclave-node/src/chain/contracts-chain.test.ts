import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type AccessReading,
  dataRegistryAbi,
  decideAccess,
  deployAll,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import type { Address, Hex } from '@sealpool/crypto'
import { createWalletClient, encodeEventTopics, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ContractsChainOptions, openContractsChain } from './contracts-chain.js'

let devnet: Devnet
let options: ContractsChainOptions
const servers: Server[] = []

/** An endpoint of its own in front of the devnet, which may change what is asked and answered. */
async function endpoint(
  answer: (asked: Rpc, forward: () => Promise<Rpc>, response: ServerResponse) => Promise<Rpc | undefined>,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await textOf(request)) as Rpc
    const forward = async () =>
      (await (
        await fetch(devnet.rpcUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(asked),
        })
      ).json()) as Rpc
    const given = await answer(asked, forward, response)
    if (given !== undefined) response.end(JSON.stringify(given))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
type Rpc = Record<string, unknown> & { readonly method?: string; readonly result?: unknown }

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

beforeAll(async () => {
  devnet = await startDevnet({ accounts: 1 })
  const transactionKey = devnet.accounts[0]?.privateKey as Hex
  const client = createWalletClient({
    account: privateKeyToAccount(transactionKey),
    transport: http(devnet.rpcUrl),
    pollingInterval: 50,
  })
  const deployment = await deployAll({ walletClient: client })
  const { timestamp } = await getBlock(client)
  options = {
    rpcUrl: devnet.rpcUrl,
    crossCheckRpcUrl: null,
    deployment,
    anchors: null,
    confirmations: 0,
    pollMs: 50,
    maximumAgeSeconds: null,
    maximumLagBlocks: 2,
    timeoutMs: 500,
    transactionKey,
    now: () => Number(timestamp),
  }
}, 60_000)
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})
afterAll(() => devnet?.stop())

describe('an endpoint', () => {
  it('that accepts and never answers is given up', async () => {
    const rpcUrl = await endpoint(async () => undefined)
    await expect(openContractsChain({ ...options, rpcUrl })).rejects.toMatchObject({
      code: 'CHAIN_CALL_FAILED',
    })
  })

  it('that stops in the middle of an answer is given up', async () => {
    let stalled = false
    const rpcUrl = await endpoint(async (_, forward, response) => {
      if (!stalled) return forward()
      response.write('{"jsonrpc":')
      return undefined
    })
    const chain = await openContractsChain({ ...options, rpcUrl })
    stalled = true
    await expect(chain.head()).rejects.toThrow()
  })

  it('of another chain is refused, also as the second one', async () => {
    const lying = await endpoint(async (asked, forward) =>
      asked.method === 'eth_chainId' ? { ...(await forward()), result: '0x1' } : forward(),
    )
    await expect(openContractsChain({ ...options, rpcUrl: lying })).rejects.toMatchObject({
      code: 'CHAIN_MISMATCH',
    })
    await expect(openContractsChain({ ...options, crossCheckRpcUrl: lying })).rejects.toMatchObject({
      code: 'CHAIN_MISMATCH',
      place: 'chain.crossCheckRpcUrl',
    })
  })

  it('gives the time of a block that it has, and no time of another', async () => {
    const chain = await openContractsChain(options)
    const { hash, timestamp } = await getBlock(createWalletClient({ transport: http(devnet.rpcUrl) }))
    expect(await chain.blockTime(hash)).toBe(Number(timestamp))
    await expect(chain.blockTime(`0x${'ab'.repeat(32)}`)).rejects.toMatchObject({ code: 'CHAIN_CALL_FAILED' })
  })

  it('whose head is too old is not believed', async () => {
    const { timestamp } = await getBlock(createWalletClient({ transport: http(devnet.rpcUrl) }))
    const aged = (seconds: number) =>
      openContractsChain({
        ...options,
        maximumAgeSeconds: 60,
        now: () => Number(timestamp) + seconds,
      })
    await expect((await aged(60)).head()).resolves.toMatchObject({ timestamp: Number(timestamp) })
    await expect((await aged(61)).head()).rejects.toMatchObject({ code: 'CHAIN_STALE' })
  })
})

describe('the node registry', () => {
  const statementKey = `0x${'a'.repeat(40)}` as const
  const measurement = `0x${'5'.repeat(64)}` as const
  const change = (more: Partial<ContractsChainOptions> = {}) => openContractsChain({ ...options, ...more })

  it('knows nobody who never registered, and a node as it registered last', async () => {
    const chain = await change()
    expect(await chain.node(statementKey)).toBeNull()
    const { deployment } = options
    const [account] = devnet.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey))
    if (account === undefined) throw new Error('no account')
    const client = createWalletClient({ account, transport: http(devnet.rpcUrl), pollingInterval: 50 })
    await setMeasurement(client, { deployment, measurement, allowed: true })
    await setVerifiers(client, { deployment, verifiers: [account.address], threshold: 1 })
    const { timestamp } = await getBlock(client)
    const registration = {
      statementKey,
      keySetDigest: `0x${'6'.repeat(64)}`,
      quoteDigest: `0x${'7'.repeat(64)}`,
      measurement,
      expiresAt: timestamp + 86_400n,
    } as const
    const signatures = [await signNodeApproval({ account, deployment, registration })]
    await registerNode(client, { deployment, registration, signatures })
    const node = { keySetDigest: `sha256:${'6'.repeat(64)}`, measurement, active: true }
    expect(await chain.node(statementKey)).toEqual(node)
    // A permission counts once it is as old as the confirmations, its end at once.
    expect(await chain.measurementAllowed(measurement)).toBe(true)
    const careful = await change({ confirmations: 2 })
    const { number } = await getBlock(client)
    const other = `0x${'8'.repeat(64)}` as const
    await setMeasurement(client, { deployment, measurement: other, allowed: true })
    expect(await chain.measurementAllowed(other)).toBe(true)
    expect(await careful.measurementAllowed(other)).toBe(false)
    for (const _ of [1, 2]) await setMeasurement(client, { deployment, measurement: other, allowed: true })
    expect((await careful.head()).number).toBeGreaterThan(number)
    expect(await careful.measurementAllowed(other)).toBe(true)
    await setMeasurement(client, { deployment, measurement, allowed: false })
    expect(await careful.measurementAllowed(measurement)).toBe(false)
    expect(await chain.node(statementKey)).toEqual({ ...node, active: false })
  })
})

describe('two endpoints', () => {
  const pair = async (
    answer: (asked: Rpc, forward: () => Promise<Rpc>) => Promise<Rpc>,
    more: Partial<ContractsChainOptions> = {},
  ) => openContractsChain({ ...options, ...more, crossCheckRpcUrl: await endpoint(answer) })

  it('that agree are believed', async () => {
    const chain = await pair((_, forward) => forward())
    const head = await chain.head()
    expect(await chain.blockHash(head.number)).toBe(head.hash)
    expect(await chain.blockHash(head.number + 1n)).toBeUndefined()
    expect(await chain.contributions(0n, head.number)).toEqual([])
    expect(await chain.isNodeActive(`0x${'1'.repeat(40)}`)).toBe(false)
  })

  it('of which one invents who holds a token decide nothing about access', async () => {
    const holder = privateKeyToAccount(options.transactionKey).address
    const stranger = `0x${'7'.repeat(40)}` as const
    const { protocolToken } = options.deployment
    const condition = { erc20: { contract: protocolToken, minimum: '1' } } as const
    const asked = (wallet: Address) => ({ conditions: [condition, { not: condition }], wallet, code: null })
    const honest = await pair((_, forward) => forward())
    const verdictsOf = async (wallet: Address) => {
      const readings = await honest.access(asked(wallet))
      expect(readings.map(({ block }) => block.number)).toEqual(Array(2).fill((await honest.head()).number))
      return asked(wallet).conditions.map(
        (one, index) => decideAccess(one, { wallet, code: null }, readings[index] as AccessReading).verdict,
      )
    }
    expect(await verdictsOf(holder)).toEqual(['yes', 'no'])
    expect(await verdictsOf(stranger)).toEqual(['no', 'yes'])
    const forged = async (call: Rpc, forward: () => Promise<Rpc>): Promise<Rpc> => {
      const { result, ...rest } = await forward()
      if (call.method !== 'eth_call') return { ...rest, result }
      const invented = String(result).replace(/0{64}(?=[0-9a-f]{64}$)/, 'f'.repeat(64))
      expect(invented).not.toBe(result)
      return { ...rest, result: invented }
    }
    const lying = await pair(forged)
    await expect(lying.access(asked(stranger))).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  it('of which one invents an answer are both not believed', async () => {
    const chain = await pair(async (asked, forward) =>
      asked.method === 'eth_call' ? { ...(await forward()), result: `0x${'0'.repeat(63)}1` } : forward(),
    )
    await expect(chain.isNodeActive(`0x${'1'.repeat(40)}`)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  it('of which one shows another block are both not believed', async () => {
    const chain = await pair(async (asked, forward) => {
      const given = await forward()
      return asked.method === 'eth_getBlockByNumber' &&
        typeof given.result === 'object' &&
        given.result !== null
        ? { ...given, result: { ...given.result, hash: `0x${'9'.repeat(64)}` } }
        : given
    })
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    await expect(chain.blockHash(1n)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  it('of which one is frozen are believed only while it is near', async () => {
    const frozen = await getBlock(createWalletClient({ transport: http(devnet.rpcUrl) }))
    const chain = await pair(async (asked, forward) => {
      const params = (asked['params'] ?? []) as unknown[]
      if (asked.method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return forward()
      Object.assign(asked, { params: [`0x${frozen.number.toString(16)}`, false] })
      return forward()
    })
    await devnet.advanceTime(1)
    await devnet.advanceTime(1)
    expect((await chain.head()).number).toBe(frozen.number)
    await devnet.advanceTime(1)
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    await expect(chain.jobEvents(0n, 1n)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  it('of which one invents an event are both not believed', async () => {
    const topics = encodeEventTopics({
      abi: dataRegistryAbi,
      eventName: 'ContributionWithdrawn',
      args: { id: 1n, pool: `0x${'1'.repeat(40)}`, owner: `0x${'2'.repeat(40)}` },
    })
    const log = {
      address: options.deployment.dataRegistry,
      topics,
      data: `0x${'0'.repeat(64)}`,
      blockNumber: '0x1',
      blockHash: `0x${'3'.repeat(64)}`,
      transactionHash: `0x${'4'.repeat(64)}`,
      transactionIndex: '0x0',
      logIndex: '0x0',
      removed: false,
    }
    const inventing = async (asked: Rpc, forward: () => Promise<Rpc>) =>
      asked.method === 'eth_getLogs' ? { ...(await forward()), result: [log] } : forward()
    const alone = await openContractsChain({ ...options, rpcUrl: await endpoint(inventing) })
    expect(await alone.withdrawals(0n, 1n)).toContainEqual({ id: '1', blockNumber: 1n, unpaid: true })
    await expect((await pair(inventing)).withdrawals(0n, 1n)).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
    })
  })
})

describe('a contract wallet', () => {
  const wallet = `0x${'c1'.repeat(20)}` as const
  const hash = `0x${'ab'.repeat(32)}` as const
  const setCode = (code: string) =>
    fetch(devnet.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_setCode', params: [wallet, code] }),
    })
  // Answers its magic value when the hash is the one that it knows (EVM, by hand): mstore(0, (calldata[4] == hash) * magic << 224).
  const knows = `0x7f${hash.slice(2)}60043514631626ba7e60e01b0260005260206000f3`
  it.each([
    ['that knows the hash says yes', knows, hash, true],
    ['that does not know it says no', knows, `0x${'cd'.repeat(32)}`, false],
    ['that reverts says no', '0x60006000fd', hash, false],
    ['that answers nothing says no', '0x00', hash, false],
    ['that answers one byte says no', '0x600160005360016000f3', hash, false],
    ['that answers true says no', '0x600160005260206000f3', hash, false],
    ['that is none says no', '0x', hash, false],
  ] as const)('%s', async (_, code, asked, answer) => {
    await setCode(code)
    const chain = await openContractsChain(options)
    expect(await chain.isContractSignature(wallet, asked, '0x1234')).toBe(answer)
  })

  it('is not said to say no by an endpoint that fails', async () => {
    await setCode(knows)
    let broken = false
    const rpcUrl = await endpoint(async (asked, forward, response) => {
      if (!broken || asked.method !== 'eth_call') return forward()
      response.statusCode = 500
      response.end('{}')
      return undefined
    })
    const chain = await openContractsChain({ ...options, rpcUrl })
    broken = true
    await expect(chain.isContractSignature(wallet, hash, '0x1234')).rejects.toThrow()
  })
})
