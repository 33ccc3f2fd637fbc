import { type Address, type Client, parseAbi } from 'viem'
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
    ...['VanaInstructionRegistry', 'VanaDlpRegistry', 'VanaPermissions', 'VanaGrantees'],
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

/** The functions of an ABI, as their signatures' selectors see them. */
test('the stand-ins answer every function and emit every event that the actions use', async () => {
  const compiled = await compiledFrom('test/stand-in/Vana.sol')
  const shape = (item: { type: string; name?: string; inputs?: readonly unknown[] }) =>
    `${item.type} ${item.name}${JSON.stringify(item.inputs?.map((input) => (input as { type: string }).type))}`
  const used = {
    VanaDataRegistry: [vana.dataRegistryAbi, ['addFile', 'files', 'fileProofs', 'FileAdded', 'addProof']],
    VanaQueryEngine: [vana.queryEngineAbi, ['getPermissions', 'addPermission', 'PermissionAdded']],
    VanaComputeEngine: [vana.computeEngineAbi, ['jobs', 'submitJob', 'JobRegistered']],
    VanaDlpRegistry: [vana.dlpRegistryAbi, ['dlps']],
    VanaPermissions: [
      vana.dataPortabilityPermissionsAbi,
      ['addPermission', 'permissions', 'PermissionAdded'],
    ],
  } as const
  for (const [contract, [abi, names]] of Object.entries(used)) {
    const theirs = compiled[contract]?.abi.map((item) => shape(item as never)) ?? []
    for (const item of abi) {
      if ((names as readonly string[]).includes(item.name)) expect(theirs).toContain(shape(item))
    }
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
    'Unknown',
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
  const { permissionId } = await vana.addQueryPermission(client, { queryEngine, ...wanted })
  await vana.setQueryPermissionApproval(client, { queryEngine, permissionId, approved: false })
  expect(await vana.getQueryPermissions(client, { queryEngine, refinerId: 1n, grantee })).toEqual([
    { permissionId, approved: false, ...wanted },
  ])
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
