import {
  type Abi,
  type AbiParameter,
  type Address,
  encodeAbiParameters,
  encodeEventTopics,
  getAbiItem,
  numberToHex,
  pad,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { contributionBatchesAbi } from '../abi/ContributionBatches.js'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { poolGovernorAbi } from '../abi/PoolGovernor.js'
import { poolTokenDeployerAbi } from '../abi/PoolTokenDeployer.js'
import { foundPool } from '../deploy/found-pool.js'
import { chainThat, mining, receiptOf, transactionHash } from '../testing/scripted-chain.js'
import * as vana from '../vana/index.js'
import { contributeMerkleBatch } from './batch.js'
import { contribute, contributeSigned } from './contribution.js'
import { propose } from './governance.js'
import { proposeJob } from './job.js'

const [own, foreign] = [7n, 66n]
const addressOf = (number: bigint): Address => pad(numberToHex(number), { size: 20 })
const called = addressOf(0xaan)
const digest = pad('0x01', { size: 32 })

/** A value of a type with a number in it. */
function sampleOf(parameter: AbiParameter, number: bigint): unknown {
  const { type } = parameter
  if (type.endsWith(']')) return []
  if ('components' in parameter)
    return Object.fromEntries(parameter.components.map((part) => [part.name, sampleOf(part, number)]))
  if (type === 'address') return addressOf(number)
  if (type === 'bool') return true
  if (type === 'string') return ''
  if (type.startsWith('bytes'))
    return type === 'bytes' ? '0x' : pad(numberToHex(number), { size: Number(type.slice(5)) })
  return /^u?int(8|16|24|32|40|48)$/.test(type) ? Number(number) : number
}

/** An event of a contract with a number in every field. */
function logOf(abi: Abi, eventName: string, number: bigint, address = called) {
  const item = getAbiItem({ abi, name: eventName }) as {
    inputs: readonly (AbiParameter & { indexed?: boolean })[]
  }
  const args = Object.fromEntries(item.inputs.map((input) => [input.name, sampleOf(input, number)]))
  const data = item.inputs.filter(({ indexed }) => indexed !== true)
  return {
    address,
    topics: encodeEventTopics({ abi, eventName, args }),
    data: encodeAbiParameters(
      data,
      data.map((input) => sampleOf(input, number)),
    ),
    ...{
      blockNumber: '0x7',
      blockHash: transactionHash,
      transactionHash,
      transactionIndex: '0x0',
      logIndex: '0x0',
    },
  }
}

const deployment = {
  ...{ chainId: 1, blockNumber: 0n, protocolToken: called, nodeRegistry: called, dataRegistry: called },
  ...{
    contributionBatches: called,
    jobBoard: called,
    permissions: called,
    approvals: called,
    poolFactory: called,
  },
}
const contribution = {
  ...{ owner: called, pool: called, blobDigest: digest, commitment: digest, schemaId: digest },
  ...{ consentDigest: digest, epoch: 1, locator: 'x', nonce: 0n },
}
const signed = { contribution, deadline: 0n, signature: `0x${'11'.repeat(65)}` as const }
const founding = { name: 'a', symbol: 'A', policyDigest: digest, pocDigest: digest, refinerDigest: digest }
const batch = {
  ...{ number: 0n, header: { pool: called, epoch: 1, schemaId: digest, locatorBase: 'x' } },
  entries: [
    {
      owner: called,
      blobDigest: digest,
      commitment: digest,
      consentDigest: digest,
      signature: signed.signature,
    },
  ],
}
const job = { manifestDigest: digest, manifestLocator: 'x', pools: [called], deadline: 9n }
const options = { account: called }

/** Sends a call whose receipt holds, before the event of the called contract, the same of another one. */
const bundled = (abi: Abi, eventName: string) => {
  const logs = [logOf(abi, eventName, foreign, addressOf(foreign)), logOf(abi, eventName, own)]
  return chainThat({ ...mining, eth_getTransactionReceipt: { ...receiptOf('0x1'), logs } })
}

describe('in a receipt that holds the calls of others as well, the number is that of the called contract:', () => {
  test.each<[string, Abi, string, (client: ReturnType<typeof chainThat>) => Promise<unknown>, object]>([
    [
      'a job',
      jobBoardAbi,
      'JobProposed',
      (client) => proposeJob(client, { ...options, deployment, ...job }),
      { jobId: own },
    ],
    [
      'a contribution',
      dataRegistryAbi,
      'Contributed',
      (client) => contribute(client, { ...options, deployment, contribution }),
      { id: own },
    ],
    [
      'a relayed one',
      dataRegistryAbi,
      'Contributed',
      (client) => contributeSigned(client, { ...options, deployment, signed }),
      { id: own },
    ],
    [
      'a batch',
      contributionBatchesAbi,
      'BatchContributed',
      (client) => contributeMerkleBatch(client, { ...options, deployment, ...batch }),
      { batchId: own },
    ],
    [
      'a proposal',
      poolGovernorAbi,
      'ProposalCreated',
      (client) => propose(client, { ...options, governor: called, calls: [], description: '' }),
      { proposalId: own },
    ],
    [
      'a pool',
      poolFactoryAbi,
      'PoolFounded',
      (client) => foundPool(client, { ...options, deployment, ...founding }),
      { pool: addressOf(own) },
    ],
    [
      'a schema at Vana',
      vana.dataRefinerRegistryAbi,
      'SchemaAdded',
      (client) =>
        vana.addSchema(client, {
          ...options,
          refinerRegistry: called,
          name: 'a',
          dialect: 'b',
          definitionUrl: 'c',
        }),
      { schemaId: own },
    ],
    [
      'an instruction there',
      vana.computeInstructionRegistryAbi,
      'ComputeInstructionAdded',
      (client) =>
        vana.addComputeInstruction(client, {
          ...options,
          instructionRegistry: called,
          hash: digest,
          url: 'x',
        }),
      { instructionId: own },
    ],
    [
      'a grantee there',
      vana.dataPortabilityGranteesAbi,
      'GranteeRegistered',
      (client) =>
        vana.registerGrantee(client, {
          ...options,
          grantees: called,
          owner: called,
          grantee: called,
          publicKey: 'x',
        }),
      { granteeId: own },
    ],
    [
      'a permission there',
      vana.queryEngineAbi,
      'PermissionAdded',
      (client) =>
        vana.addQueryPermission(client, {
          ...options,
          queryEngine: called,
          grantee: called,
          refinerId: 1n,
          tableName: '',
          columnName: '',
          price: 1n,
        }),
      { permissionId: own },
    ],
    [
      'a file there',
      vana.dataRegistryAbi,
      'FileAdded',
      (client) => vana.addFile(client, { ...options, dataRegistry: called, url: 'x' }),
      { fileId: own },
    ],
    [
      'a reward there',
      vana.dataLiquidityPoolAbi,
      'RewardRequested',
      (client) => vana.requestReward(client, { ...options, pool: called, fileId: 1n, proofIndex: 1n }),
      { reward: own },
    ],
    [
      'a job there',
      vana.computeEngineAbi,
      'JobRegistered',
      (client) =>
        vana.submitComputeJob(client, {
          ...options,
          computeEngine: called,
          instructionId: 1n,
          maxTimeout: 1n,
        }),
      { jobId: own },
    ],
  ])('%s', async (_, abi, eventName, act, expected) => {
    expect(await act(bundled(abi, eventName))).toMatchObject(expected)
  })

  test('schedules are those of the pool’s own token', async () => {
    const logs = [
      logOf(poolTokenDeployerAbi, 'AllocationVested', foreign),
      logOf(poolTokenDeployerAbi, 'AllocationVested', own),
      logOf(poolFactoryAbi, 'PoolFounded', own),
    ]
    const client = chainThat({ ...mining, eth_getTransactionReceipt: { ...receiptOf('0x1'), logs } })
    const { schedules } = await foundPool(client, { ...options, deployment, ...founding })
    expect(schedules.map(({ schedule }) => schedule)).toEqual([addressOf(own)])
  })
})
