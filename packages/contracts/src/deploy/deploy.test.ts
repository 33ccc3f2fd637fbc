import { createClient, createWalletClient, custom, type Hex, http, zeroAddress } from 'viem'
import { deployContract, getCode, getTransactionCount, waitForTransactionReceipt } from 'viem/actions'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobBoardAbi, jobBoardBytecode } from '../abi/JobBoard.js'
import { nodeRegistryBytecode } from '../abi/NodeRegistry.js'
import { poolAbi } from '../abi/Pool.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { runtimes } from '../abi/runtimes.js'
import { getBalance, getCreditLedger, getPool, inspect, setMeasurement } from '../action/index.js'
import { send } from '../action/transaction.js'
import { deployTdxVerifier } from '../attestation/index.js'
import { startDevnet } from '../devnet/index.js'
import { chainThat, mining } from '../testing/scripted-chain.js'
import { createWorld, digest, revertOf, type World } from '../testing/world.js'
import {
  checkCreation,
  checkDeployment,
  deployAll,
  deployMarket,
  formatDeployment,
  foundPool,
  parseDeployment,
} from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

test('a second deployment stands beside the first and shares an existing protocol token', async () => {
  const { protocolToken } = world.deployment
  const second = await deployAll({ walletClient: world.clientOf(world.account(4)), protocolToken })
  expect(second.protocolToken).toBe(protocolToken)
  expect(second.poolFactory).not.toBe(world.deployment.poolFactory)
  await checkDeployment(world.client, second)
})

test('a chain without the instructions that the contracts need is refused before anything is sent', async () => {
  const devnet = await startDevnet({ hardfork: 'shanghai', chainId: 777 })
  try {
    const client = createWalletClient({ account: world.account(0), transport: http(devnet.rpcUrl) })
    await expect(deployAll({ walletClient: client })).rejects.toMatchObject({ code: 'CHAIN_UNSUITABLE' })
    expect(await getTransactionCount(client, { address: world.account(0).address })).toBe(0)
  } finally {
    await devnet.stop()
  }
})

test('a chain of another identifier with the oldest rules that do takes everything', async () => {
  const devnet = await startDevnet({ hardfork: 'cancun', chainId: 778 })
  try {
    const client = createWalletClient({ account: world.account(0), transport: http(devnet.rpcUrl) })
    const deployment = await deployAll({ walletClient: client, timeoutMs: 60_000 })
    expect(deployment.chainId).toBe(778)
    await checkDeployment(client, deployment)
  } finally {
    await devnet.stop()
  }
})

test('a deployer that sends other transactions meanwhile is told so', async () => {
  const elsewhere = chainThat({ ...mining, eth_getTransactionCount: '0x999' })
  const attempt = deployAll({ walletClient: world.clientOf(world.account(5)), publicClient: elsewhere })
  await expect(attempt).rejects.toMatchObject({ code: 'DEPLOYMENT_MISMATCH' })
})

test('a contract that was not created is missed', async () => {
  const account = world.account(6)
  const { deployment } = world
  const silent = chainThat(mining)
  const missing = { code: 'NOT_FOUND' }
  await expect(
    deployMarket(silent, {
      account: account.address,
      deployment,
      arbiter: account.address,
      minimumStake: 1n,
    }),
  ).rejects.toMatchObject(missing)
  await expect(
    deployTdxVerifier(silent, { account: account.address, rootCertificate: '0x00' }),
  ).rejects.toMatchObject(missing)
})

test.each([
  ['another chain', { chainId: 1 }],
  ['a job board of strangers', { jobBoard: '0x5FbDB2315678afecb367f032d93F642f64180aa3' as Hex }],
])('checkDeployment refuses %s', async (_, change) => {
  const attempt = checkDeployment(world.client, { ...world.deployment, ...change })
  await expect(attempt).rejects.toMatchObject({ place: 'checkDeployment' })
})

test('checkDeployment refuses code of which one byte is another', async () => {
  const { deployment, client } = world
  const around = await inspect(client, {
    abi: poolFactoryAbi,
    address: deployment.poolFactory,
    functionName: 'surroundings',
    args: [],
  })
  for (const address of [deployment.jobBoard, deployment.permissions, around.tokenDeployer]) {
    const code = await getCode(client, { address })
    if (code === undefined) throw new Error('no code')
    const setCode = (value: Hex) =>
      client.request({ method: 'anvil_setCode', params: [address, value] } as never)
    await setCode(`${code}00`)
    await expect(checkDeployment(client, deployment)).rejects.toMatchObject({ code: 'DEPLOYMENT_MISMATCH' })
    await setCode(code)
    await checkDeployment(client, deployment)
  }
})

test('checkDeployment refuses a board that hears another registry and takes another token', async () => {
  const { deployment } = world
  const client = world.clientOf(world.account(7))
  const other = await deployAll({ walletClient: client })
  for (const [nodeRegistry, protocolToken] of [
    [other.nodeRegistry, deployment.protocolToken],
    [deployment.nodeRegistry, other.protocolToken],
  ] as const) {
    const hash = await deployContract(client, {
      account: world.account(7),
      chain: foundry,
      abi: jobBoardAbi,
      bytecode: jobBoardBytecode,
      args: [
        protocolToken,
        nodeRegistry,
        deployment.poolFactory,
        deployment.permissions,
        await getCreditLedger(client, { deployment }),
        2_000,
      ],
    })
    const { contractAddress } = await waitForTransactionReceipt(client, { hash })
    const jobBoard = contractAddress ?? zeroAddress
    await expect(checkDeployment(client, { ...deployment, jobBoard })).rejects.toMatchObject({
      code: 'DEPLOYMENT_MISMATCH',
    })
  }
})

test('checkDeployment compares what the caller expects of owner, verifiers and measurements', async () => {
  const { deployment, client, deployer, verifiers, measurement } = world
  const right = {
    nodeRegistryOwner: deployer.address,
    verifiers: verifiers.map(({ address }) => address).reverse(),
    threshold: 2,
    measurements: [measurement],
    quoteVerifier: null,
    objectionWindow: 0,
    burnShareBps: 2_000,
  }
  await checkDeployment(client, deployment, right)
  const wrong: [object, string][] = [
    [{ nodeRegistryOwner: zeroAddress }, 'owner of the node registry'],
    [{ verifiers: right.verifiers.slice(1) }, `verifiers: not expected ${right.verifiers[0]?.toLowerCase()}`],
    [{ verifiers: [...right.verifiers, zeroAddress] }, `missing ${zeroAddress}`],
    [{ threshold: 1 }, '2 verifiers are enough, expected 1'],
    [{ measurements: [] }, `measurements: not expected ${measurement}`],
    [{ measurements: [measurement, digest('other')] }, `missing ${digest('other')}`],
    [{ quoteVerifier: deployer.address }, 'checks quotes'],
    [{ objectionWindow: 1 }, 'nodeRegistry.objectionWindow'],
    [{ burnShareBps: 1_999 }, 'jobBoard.burnShareBps'],
  ]
  for (const [change, message] of wrong) {
    await expect(checkDeployment(client, deployment, { ...right, ...change }), message).rejects.toMatchObject(
      {
        code: 'DEPLOYMENT_MISMATCH',
        message: expect.stringContaining(message),
      },
    )
  }
  const elsewhere = digest('measured later')
  await setMeasurement(client, { deployment, measurement: elsewhere, allowed: true })
  await expect(checkDeployment(client, deployment, right)).rejects.toThrow(elsewhere)
  await setMeasurement(client, { deployment, measurement: elsewhere, allowed: false })
  await checkDeployment(client, deployment, right)
})

test('checkDeployment refuses a word that another constructor would have filled in', async () => {
  const { deployment, client } = world
  const { immutables } = runtimes.NodeRegistry
  const code = await getCode(client, { address: deployment.nodeRegistry })
  if (code === undefined) throw new Error('no code')
  const names = [...new Set(immutables.map(([, , name]) => name))]
  expect(names).toContain('_hashedName')
  for (const [start, , name] of immutables) {
    if (name === 'objectionWindow') continue
    const at = 2 + 2 * start
    const changed = `${code.slice(0, at)}${code[at] === '0' ? '1' : '0'}${code.slice(at + 1)}`
    const params = [deployment.nodeRegistry, changed]
    await client.request({ method: 'anvil_setCode', params } as never)
    await expect(checkDeployment(client, deployment)).rejects.toThrow(`nodeRegistry.${name}`)
  }
  await client.request({ method: 'anvil_setCode', params: [deployment.nodeRegistry, code] } as never)
  await checkDeployment(client, deployment)
})

test('checkCreation finds how each contract was made, and storage that no constructor left', async () => {
  const { deployment, client, deployer } = world
  expect(await checkCreation(client, deployment)).toEqual({
    deployer: deployer.address.toLowerCase(),
    firstOwner: deployer.address.toLowerCase(),
    lastBlock: deployment.blockNumber + 11n,
  })
  await expect(checkCreation(client, deployment, { blocks: 3 })).rejects.toMatchObject({
    code: 'DEPLOYMENT_MISMATCH',
    message: expect.stringContaining('ContributionBatches'),
  })
  // The same code in the same place of the deployment, by a constructor that fills its storage before: no view shows it.
  const planted = world.clientOf(world.account(8))
  const other = await deployAll({ walletClient: planted })
  const code = await getCode(client, { address: other.permissions })
  if (code === undefined) throw new Error('no code')
  // PUSH1 1 PUSH1 7 SSTORE, then the code is returned.
  const size = (code.length - 2) / 2
  const prefix: Hex = `0x600160075561${size.toString(16).padStart(4, '0')}8060116000396000f3`
  const sent = await send(planted, 'plant', { to: null, data: `${prefix}${code.slice(2)}` }, {})
  const permissions = sent.receipt.contractAddress ?? zeroAddress
  expect(await getCode(client, { address: permissions })).toBe(code)
  await expect(checkCreation(client, { ...other, permissions })).rejects.toMatchObject({
    code: 'DEPLOYMENT_MISMATCH',
  })
  await checkCreation(client, other)
  // Whatever else stands in the blocks is passed over.
  await checkCreation(client, { ...other, blockNumber: other.blockNumber - 3n })
  const registry = await deployAll({ walletClient: planted })
  await expect(
    checkCreation(client, { ...other, nodeRegistry: registry.nodeRegistry }),
  ).rejects.toMatchObject({
    code: 'DEPLOYMENT_MISMATCH',
  })
})

test('checkCreation names a node registry that nothing makes, or that was made with other code', async () => {
  const { deployment, client } = world
  await expect(checkCreation(client, deployment, { blocks: 0 })).rejects.toMatchObject({
    message: expect.stringContaining('makes NodeRegistry, '),
  })
  // An endpoint that tells of another creation of the same address: one byte of its code, or nothing behind its owner's first half.
  for (const change of [
    (input: Hex): Hex => `0x${input.slice(2, 200)}${input[200] === '0' ? '1' : '0'}${input.slice(201)}`,
    (input: Hex): Hex => `0x${input.slice(2, -80)}`,
  ]) {
    const lying = createClient({
      transport: custom({
        request: async (call: { method: string; params?: unknown }) => {
          const answer = (await client.request(call as never)) as {
            transactions?: { to: unknown; input: Hex }[]
          }
          if (call.method !== 'eth_getBlockByNumber') return answer
          const transactions = answer.transactions?.map((one) =>
            typeof one === 'object' && one.input.startsWith(nodeRegistryBytecode)
              ? { ...one, input: change(one.input) }
              : one,
          )
          return { ...answer, transactions }
        },
      }),
    })
    await expect(checkCreation(lying, deployment)).rejects.toMatchObject({
      code: 'DEPLOYMENT_MISMATCH',
      message: expect.stringContaining(`NodeRegistry at ${deployment.nodeRegistry}`),
    })
  }
})

test('a careless pool is not founded', async () => {
  const founding = {
    deployment: world.deployment,
    name: 'careless',
    symbol: 'C',
    policyDigest: digest('policy'),
    pocDigest: digest('poc'),
    refinerDigest: digest('refiner'),
  }
  const attempt = foundPool(world.client, { ...founding, governance: { quorumPercent: 0 } })
  expect(await revertOf(attempt)).toBe('GovernanceInvalid')
  const { pool } = await foundPool(world.client, { ...founding, jobCode: [digest('code')] })
  const about = { abi: poolAbi, address: pool } as const
  expect(await inspect(world.client, { ...about, functionName: 'jobCode', args: [digest('code')] })).toBe(
    true,
  )
  expect((await inspect(world.client, { ...about, functionName: 'rules', args: [] })).anyJobCode).toBe(false)
})

test('checkDeployment names the link that is wrong', async () => {
  const { dataRegistry } = await deployAll({ walletClient: world.clientOf(world.account(4)) })
  await expect(checkDeployment(world.client, { ...world.deployment, dataRegistry })).rejects.toMatchObject({
    code: 'DEPLOYMENT_MISMATCH',
    message: expect.stringContaining('dataRegistry'),
  })
})

test('a pool is founded with its treasury, and the founder has no power over it', async () => {
  const founded = await foundPool(world.client, {
    deployment: world.deployment,
    name: 'treasury',
    symbol: 'TRE',
    policyDigest: digest('p'),
    pocDigest: digest('c'),
    refinerDigest: digest('r'),
    treasuryAmount: 77n,
    treasuryShareBps: 500,
  })
  expect(await getBalance(world.client, { token: founded.token, account: founded.timelock })).toBe(77n)
  const state = await getPool(world.client, { pool: founded.pool, deployment: world.deployment })
  expect(state).toMatchObject({
    name: 'treasury',
    policyDigest: digest('p'),
    treasuryShareBps: 500,
    totalPoints: 0n,
  })
})

test('a pool that the factory did not found is not one', async () => {
  const attempt = getPool(world.client, { pool: zeroAddress, deployment: world.deployment })
  await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('refuses a treasury share over the cap and a zero policy', async () => {
  const options = {
    deployment: world.deployment,
    name: 'x',
    symbol: 'X',
    policyDigest: digest('p'),
    pocDigest: digest('c'),
    refinerDigest: digest('r'),
  }
  expect(await revertOf(foundPool(world.client, { ...options, treasuryShareBps: 2_001 }))).toBe(
    'TreasuryShareTooLarge',
  )
  const zero: Hex = `0x${'00'.repeat(32)}`
  expect(await revertOf(foundPool(world.client, { ...options, policyDigest: zero }))).toBe('PolicyDigestZero')
})

test('says when there is no account, and when there is no chain', async () => {
  const reader = createClient({ chain: foundry, transport: http(world.devnet.rpcUrl) })
  await expect(deployAll({ walletClient: reader })).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
  const nowhere = createClient({ chain: foundry, transport: http('http://127.0.0.1:9', { retryCount: 0 }) })
  await expect(getPool(nowhere, { pool: zeroAddress })).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' })
})

test('a deployment survives the way through JSON', () => {
  expect(parseDeployment(formatDeployment(world.deployment))).toEqual(world.deployment)
})

test.each([
  ['no JSON', '{', 'not JSON'],
  ['a missing field', '{}', 'jobBoard'],
  ['an address that is none', { jobBoard: '0x12' }, 'jobBoard: not an address'],
  ['a negative block', { blockNumber: '-1' }, 'blockNumber: not a decimal number'],
  ['an unknown field', { owner: '0x12' }, 'owner'],
])('parseDeployment refuses %s and names the field', (_, change, expected) => {
  const text =
    typeof change === 'string'
      ? change
      : JSON.stringify({ ...JSON.parse(formatDeployment(world.deployment)), ...change })
  expect(() => parseDeployment(text)).toThrow(expected)
})
