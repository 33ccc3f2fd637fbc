import { type Address, type Client, parseAbi, parseEventLogs, zeroAddress } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { invoke } from '../action/index.js'
import { compiledFrom, deploy } from '../testing/compiled.js'
import { createWorld, digest, revertOf, type World } from '../testing/world.js'
import * as vana from './index.js'

/** Against stand-ins with the same signatures (test/stand-in/Vana.sol), for Vana's own contracts are on Vana's chain only. */
let world: World
let client: Client
let at: Record<string, Address>

beforeAll(async () => {
  world = await createWorld()
  client = world.client
  const compiled = await compiledFrom('test/stand-in/Vana.sol')
  at = {}
  const names = [
    ...['VanaDataRegistry', 'VanaTeePool', 'VanaRefinerRegistry', 'VanaQueryEngine', 'VanaComputeEngine'],
    ...['VanaInstructionRegistry', 'VanaDlpRegistry', 'VanaPermissions', 'VanaGrantees', 'VanaServers'],
  ]
  for (const name of names) at[name] = await deploy(client, compiled[name])
  at['VanaPool'] = await deploy(client, compiled['VanaPool'], [at['VanaDataRegistry']])
})
afterAll(() => world.devnet.stop())

const address = (name: string): Address => {
  const found = at[name]
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

test('what the stand-ins answer and emit has the very signatures that the actions use', async () => {
  const compiled = await compiledFrom('test/stand-in/Vana.sol')
  const types = (list: readonly unknown[] | undefined) =>
    list?.map((each) => {
      const { type, indexed } = each as { type: string; indexed?: boolean }
      return `${type}${indexed === true ? ' indexed' : ''}`
    })
  const shape = (item: object) => {
    const { type, name, inputs } = item as { type: string; name?: string; inputs?: readonly unknown[] }
    return `${type} ${name}(${types(inputs)})`
  }
  const used = {
    VanaDataRegistry: vana.dataRegistryAbi,
    VanaTeePool: vana.teePoolAbi,
    VanaPool: vana.dataLiquidityPoolAbi,
    VanaRefinerRegistry: vana.dataRefinerRegistryAbi,
    VanaQueryEngine: vana.queryEngineAbi,
    VanaInstructionRegistry: vana.computeInstructionRegistryAbi,
    VanaComputeEngine: vana.computeEngineAbi,
    VanaDlpRegistry: vana.dlpRegistryAbi,
    VanaPermissions: vana.dataPortabilityPermissionsAbi,
    VanaGrantees: vana.dataPortabilityGranteesAbi,
    VanaServers: vana.dataPortabilityServersAbi,
  }
  // What the stand-ins have besides, for the tests' sake.
  const own = ['constructor undefined', 'function add(address', 'function run(']
  for (const [contract, abi] of Object.entries(used)) {
    const ours = [...abi, ...vana.errorsAbi].map(shape)
    const theirs = (compiled[contract]?.abi ?? []).map(shape)
    expect(theirs.length, contract).toBeGreaterThan(0)
    const others = theirs.filter((each) => !ours.includes(each) && !own.some((name) => each.startsWith(name)))
    expect(others, contract).toEqual([])
  }
})

test('a file is contributed, proved and rewarded', async () => {
  const dataRegistry = address('VanaDataRegistry')
  const owner = world.account(3).address
  const permissions = [{ account: address('VanaPool'), key: 'wrapped for the pool' }]
  const url = 'ipfs://bafk'
  const { fileId } = await vana.addFile(client, { dataRegistry, url, owner, permissions, schemaId: 4n })
  const file = await vana.getFile(client, { dataRegistry, fileId })
  expect(file).toMatchObject({ id: fileId, owner, url, schemaId: 4n })
  expect(await vana.getFileByUrl(client, { dataRegistry, url })).toEqual(file)
  const account = address('VanaPool')
  expect(await vana.getFileKey(client, { dataRegistry, fileId, account })).toBe('wrapped for the pool')

  const teePool = address('VanaTeePool')
  const { jobId } = await vana.requestContributionProof(client, { teePool, fileId })
  expect(await vana.getProofJob(client, { teePool, jobId })).toMatchObject({
    fileId,
    status: 'Submitted',
    bidAmount: 7n,
  })
  const proof = {
    signature: '0x1234',
    data: { score: 5n * 10n ** 17n, dlpId: 3n, metadata: 'm', proofUrl: 'u', instruction: 'i' },
  } as const
  await invoke(client, {
    address: dataRegistry,
    abi: vana.dataRegistryAbi,
    functionName: 'addProof',
    args: [fileId, proof],
  })
  expect(await vana.getFileProof(client, { dataRegistry, fileId, index: 1n })).toEqual({
    signature: '0x1234',
    ...proof.data,
  })
  const pool = await vana.getVanaPool(client, { pool: account })
  expect(pool).toMatchObject({ name: 'Pool', dlpId: 3n, dataRegistry, fileRewardFactor: 5n * 10n ** 18n })
  const { reward } = await vana.requestReward(client, { pool: account, fileId, proofIndex: 1n })
  expect(reward).toBe(25n * 10n ** 17n)
  expect(await revertOf(vana.requestReward(client, { pool: account, fileId, proofIndex: 1n }))).toBe(
    'FileAlreadyRewarded',
  )
})

test('files come in four ways, and what is wrong with one has its name', async () => {
  const dataRegistry = address('VanaDataRegistry')
  const plain = await vana.addFile(client, { dataRegistry, url: 'a' })
  const schema = await vana.addFile(client, { dataRegistry, url: 'b', schemaId: 9n })
  const owner = world.account(4).address
  const other = await vana.addFile(client, { dataRegistry, url: 'c', owner, permissions: [] })
  const sender = world.deployer.address
  expect(await vana.getFile(client, { dataRegistry, fileId: plain.fileId })).toMatchObject({ owner: sender })
  expect(await vana.getFile(client, { dataRegistry, fileId: schema.fileId })).toMatchObject({ schemaId: 9n })
  // The owner is whatever the sender says: the contract asks nobody.
  expect(await vana.getFile(client, { dataRegistry, fileId: other.fileId })).toMatchObject({ owner })
  expect(await revertOf(vana.addFile(client, { dataRegistry, url: 'a' }))).toBe('FileUrlAlreadyUsed')
  const permission = { account: owner, key: 'k' }
  await vana.addFilePermission(client, { dataRegistry, fileId: plain.fileId, permission })
  expect(await vana.getFileKey(client, { dataRegistry, fileId: plain.fileId, account: owner })).toBe('k')
  expect(
    await revertOf(vana.addFilePermission(client, { dataRegistry, fileId: other.fileId, permission })),
  ).toBe('NotFileOwner')
  expect(await vana.getFile(client, { dataRegistry, fileId: 999n })).toBeNull()
  expect(await vana.getFileByUrl(client, { dataRegistry, url: 'never' })).toBeNull()
  expect(await vana.getFileKey(client, { dataRegistry, fileId: 999n, account: owner })).toBeNull()
  const teePool = address('VanaTeePool')
  expect(await revertOf(vana.requestContributionProof(client, { teePool, fileId: 1n, bid: 1n }))).toBe(
    'InsufficientFee',
  )
  await expect(vana.getProofJob(client, { teePool, jobId: 99n })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('schemas, refiners and query permissions are read and added', async () => {
  const refinerRegistry = address('VanaRefinerRegistry')
  const schema = { name: 'runs', dialect: 'sqlite', definitionUrl: 'ipfs://ddl' }
  const { schemaId } = await vana.addSchema(client, { refinerRegistry, ...schema })
  expect(await vana.getSchema(client, { refinerRegistry, schemaId })).toEqual(schema)
  expect(await vana.getSchema(client, { refinerRegistry, schemaId: 99n })).toBeNull()
  expect(await vana.getPoolRefiners(client, { refinerRegistry, dlpId: 3n })).toEqual([1n])
  expect(await vana.getRefiner(client, { refinerRegistry, refinerId: 1n })).toMatchObject({
    dlpId: 3n,
    refinementInstructionUrl: 'ipfs://image',
  })
  expect(await vana.getRefiner(client, { refinerRegistry, refinerId: 2n })).toBeNull()

  const queryEngine = address('VanaQueryEngine')
  const grantee = world.account(5).address
  const wanted = { grantee, refinerId: 1n, tableName: 'runs', columnName: '', price: 6n }
  const token = address('VanaPool')
  const inCoin = await vana.addQueryPermission(client, { queryEngine, ...wanted })
  const { permissionId } = await vana.addQueryPermission(client, { queryEngine, ...wanted, token })
  const generic = await vana.addQueryPermission(client, { queryEngine, ...wanted, grantee: zeroAddress })
  const granted = () => vana.getQueryPermissions(client, { queryEngine, refinerId: 1n, grantee })
  const open = { permissionId: generic.permissionId, approved: true, ...wanted, grantee: zeroAddress }
  expect(await granted()).toEqual([
    { permissionId: inCoin.permissionId, approved: true, ...wanted, token: zeroAddress },
    { permissionId, approved: true, ...wanted, token },
    { ...open, token: zeroAddress },
  ])
  for (const permissionId of [inCoin.permissionId, generic.permissionId]) {
    await vana.setQueryPermissionApproval(client, { queryEngine, permissionId, approved: false })
  }
  expect(await granted()).toEqual([{ permissionId, approved: true, ...wanted, token }])
  expect(await revertOf(vana.addQueryPermission(client, { queryEngine, ...wanted, refinerId: 0n }))).toBe(
    'NotRefinerOwner',
  )
  expect(
    await revertOf(
      vana.setQueryPermissionApproval(client, { queryEngine, permissionId: 9n, approved: true }),
    ),
  ).toBe('PermissionNotFound')
})

test('programs are registered and jobs submitted', async () => {
  const instructionRegistry = address('VanaInstructionRegistry')
  const computeEngine = address('VanaComputeEngine')
  const hash = digest('image')
  const added = await vana.addComputeInstruction(client, { instructionRegistry, hash, url: 'ipfs://tar' })
  const { instructionId } = added
  expect(await vana.getComputeInstruction(client, { instructionRegistry, instructionId })).toMatchObject({
    hash,
    url: 'ipfs://tar',
  })
  expect(await vana.getComputeInstruction(client, { instructionRegistry, instructionId: 9n })).toBeNull()
  const asked = { instructionRegistry, instructionId, dlpId: 3n }
  expect(await vana.isInstructionApproved(client, asked)).toBe(false)
  await invoke(client, {
    address: instructionRegistry,
    abi: vana.computeInstructionRegistryAbi,
    functionName: 'updateComputeInstruction',
    args: [instructionId, 3n, true],
  })
  expect(await vana.isInstructionApproved(client, asked)).toBe(true)
  const job = { computeEngine, instructionId, maxTimeout: 60n }
  expect(await revertOf(vana.submitComputeJob(client, job))).toBe('InsufficientBalance')
  const { jobId } = await vana.submitComputeJob(client, { ...job, value: 1n })
  expect(await vana.getComputeJob(client, { computeEngine, jobId })).toEqual({
    id: jobId,
    owner: world.deployer.address,
    status: 'Registered',
    statusMessage: 'waiting',
    instructionId: Number(instructionId),
    tee: null,
  })
  await invoke(client, {
    address: computeEngine,
    abi: parseAbi(['function run(uint256 id)']),
    functionName: 'run',
    args: [jobId],
  })
  expect(await vana.getComputeJob(client, { computeEngine, jobId })).toMatchObject({ status: 'Running' })
  await expect(vana.getComputeJob(client, { computeEngine, jobId: 9n })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('a pool is found in the registry', async () => {
  const dlpRegistry = address('VanaDlpRegistry')
  expect(await vana.getRegisteredPool(client, { dlpRegistry, dlpId: 3n })).toMatchObject({
    dlpId: 3n,
    name: 'Pool',
    status: 'Eligible',
    verified: true,
  })
  await expect(vana.getRegisteredPool(client, { dlpRegistry, dlpId: 4n })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('permissions are signed with the next nonce and recorded for the signer', async () => {
  const permissions = address('VanaPermissions')
  const account = world.account(6)
  const chainId = world.deployment.chainId
  const grantees = address('VanaGrantees')
  const { granteeId } = await vana.registerGrantee(client, {
    grantees,
    owner: account.address,
    grantee: world.account(7).address,
    publicKey: '04',
  })
  const wanted = { account, chainId, permissions, granteeId, grant: 'ipfs://grant', fileIds: [1n, 2n] }
  const signed = await vana.signPortabilityPermission(client, wanted)
  const { permissionId } = await vana.addPortabilityPermission(client, { permissions, ...signed })
  expect(await vana.getPortabilityPermission(client, { permissions, permissionId })).toMatchObject({
    grantor: account.address,
    granteeId,
    fileIds: [1n, 2n],
    endBlock: 2n ** 256n - 1n,
  })
  // The same signature again has a nonce of before.
  expect(await revertOf(vana.addPortabilityPermission(client, { permissions, ...signed }))).toBe(
    'InvalidNonce',
  )
  await vana.revokePortabilityPermission(client, { permissions, permissionId })
  const revoked = await vana.getPortabilityPermission(client, { permissions, permissionId })
  expect(revoked.endBlock).toBeLessThan(2n ** 256n - 1n)
  expect((await vana.signPortabilityPermission(client, wanted)).permission.nonce).toBe(1n)
  await expect(
    vana.signPortabilityPermission(client, {
      ...wanted,
      account: { ...account, signTypedData: undefined } as never,
    }),
  ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
})

test('a proof job that was cancelled tells so', async () => {
  const teePool = address('VanaTeePool')
  const { jobId } = await vana.requestContributionProof(client, { teePool, fileId: 77n, bid: 9n })
  const call = { address: teePool, abi: vana.teePoolAbi, functionName: 'cancelJob', args: [jobId] } as const
  const { receipt } = await invoke(client, call)
  const [event] = parseEventLogs({ abi: vana.teePoolAbi, eventName: 'JobCanceled', logs: receipt.logs })
  expect(event?.args).toEqual({ jobId })
  expect(await vana.getProofJob(client, { teePool, jobId })).toMatchObject({ status: 'Canceled' })
})

test('servers are read, trusted and trusted no more', async () => {
  const servers = address('VanaServers')
  const serverAddress = world.account(8).address
  const { receipt } = await invoke(client, {
    address: servers,
    abi: parseAbi(['function add(address serverAddress, string publicKey, string url)']),
    functionName: 'add',
    args: [serverAddress, '04ff', 'https://server'],
  })
  const [registered] = parseEventLogs({
    abi: vana.dataPortabilityServersAbi,
    eventName: 'ServerRegistered',
    logs: receipt.logs,
  })
  const owner = world.deployer.address
  expect(registered?.args).toEqual({
    serverId: 1n,
    owner,
    serverAddress,
    publicKey: '04ff',
    url: 'https://server',
  })
  const server = { id: 1n, owner, address: serverAddress, publicKey: '04ff', url: 'https://server' }
  expect(await vana.getPortabilityServer(client, { servers, serverId: 1n })).toEqual(server)
  expect(await vana.getPortabilityServer(client, { servers, serverId: 2n })).toBeNull()
  expect(await vana.getTrustedServers(client, { servers, user: owner })).toEqual([])
  await vana.trustServer(client, { servers, serverId: 1n })
  const [trusted] = await vana.getTrustedServers(client, { servers, user: owner })
  expect(trusted).toMatchObject({ ...server, endBlock: 2n ** 256n - 1n })
  await vana.untrustServer(client, { servers, serverId: 1n })
  const [ended] = await vana.getTrustedServers(client, { servers, user: owner })
  expect(ended?.endBlock).toBeLessThan(2n ** 256n - 1n)
  expect(await revertOf(vana.trustServer(client, { servers, serverId: 9n }))).toBe('ServerNotFound')
  expect(await revertOf(vana.untrustServer(client, { servers, serverId: 9n }))).toBe('ServerNotTrusted')
})
