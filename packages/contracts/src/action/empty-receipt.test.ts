import { type Address, type Client, isAddress, type LocalAccount, zeroHash } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Deployment, foundPool } from '../deploy/index.js'
import {
  handOffContext,
  signBatchedContribution,
  signContribution,
  signNodeApproval,
  startContext,
  verdictBatchContext,
} from '../statement/index.js'
import { contributionOf, createWorld, digest, type World } from '../testing/world.js'
import * as vana from '../vana/index.js'
import {
  contribute,
  contributeBatch,
  contributeMerkleBatch,
  getProposalState,
  propose,
  proposeJob,
} from './index.js'

/** An address without code takes every call, and nothing happens: as with a deployment that names the wrong contract. */
let world: World
let client: Client
let nobody: Address
let empty: Deployment

beforeAll(async () => {
  world = await createWorld()
  client = world.client
  nobody = world.account(9).address
  const addresses = Object.entries(world.deployment).map(([name, value]) => [
    name,
    typeof value === 'string' && isAddress(value) ? nobody : value,
  ])
  empty = Object.fromEntries(addresses) as Deployment
})
afterAll(() => world.devnet.stop())

const header = {
  pool: '0x00000000000000000000000000000000000000aa',
  epoch: 1,
  schemaId: zeroHash,
  locatorBase: 'memory:',
} as const
const entry = () => ({
  owner: nobody,
  blobDigest: digest('blob'),
  commitment: digest('commitment'),
  consentDigest: digest('consent'),
})
const terms = {
  name: 'x',
  symbol: 'X',
  policyDigest: digest('p'),
  pocDigest: digest('p'),
  refinerDigest: digest('p'),
}

describe('an action that took place nowhere says so', () => {
  const actions: Record<string, () => Promise<unknown>> = {
    contribute: () =>
      contribute(client, { deployment: empty, contribution: contributionOf(world, world.deployer) }),
    contributeBatch: async () => {
      const contribution = contributionOf(world, world.account(5))
      const signed = await signContribution({
        account: world.account(5),
        deployment: empty,
        contribution,
        deadline: 2n ** 40n,
      })
      return contributeBatch(client, { deployment: empty, signed: [signed] })
    },
    contributeMerkleBatch: () =>
      contributeMerkleBatch(client, {
        deployment: empty,
        number: 0n,
        header,
        entries: [{ ...entry(), signature: `0x${'11'.repeat(65)}` }],
      }),
    proposeJob: () =>
      proposeJob(client, {
        deployment: empty,
        manifestDigest: digest('manifest'),
        manifestLocator: '',
        pools: [nobody],
        deadline: 2n ** 40n,
      }),
    propose: () => propose(client, { governor: nobody, calls: [], description: 'nothing' }),
    foundPool: () => foundPool(client, { deployment: empty, ...terms }),
    'vana.addFile': () => vana.addFile(client, { dataRegistry: nobody, url: 'u' }),
    'vana.requestContributionProof': () =>
      vana.requestContributionProof(client, { teePool: nobody, fileId: 1n, bid: 0n }),
    'vana.requestReward': () => vana.requestReward(client, { pool: nobody, fileId: 1n, proofIndex: 1n }),
    'vana.addSchema': () =>
      vana.addSchema(client, { refinerRegistry: nobody, name: 'n', dialect: 'd', definitionUrl: 'u' }),
    'vana.addQueryPermission': () =>
      vana.addQueryPermission(client, {
        queryEngine: nobody,
        grantee: nobody,
        refinerId: 1n,
        tableName: '',
        columnName: '',
        price: 0n,
      }),
    'vana.addComputeInstruction': () =>
      vana.addComputeInstruction(client, { instructionRegistry: nobody, hash: zeroHash, url: 'u' }),
    'vana.submitComputeJob': () =>
      vana.submitComputeJob(client, { computeEngine: nobody, instructionId: 1n, maxTimeout: 1n }),
    'vana.registerGrantee': () =>
      vana.registerGrantee(client, { grantees: nobody, owner: nobody, grantee: nobody, publicKey: '04' }),
    'vana.addPortabilityPermission': () =>
      vana.addPortabilityPermission(client, {
        permissions: nobody,
        permission: { nonce: 0n, granteeId: 1n, grant: 'g', fileIds: [] },
        signature: '0x',
      }),
  }
  test.each(Object.keys(actions))('%s', async (name) => {
    await expect(actions[name]?.()).rejects.toMatchObject({ name: 'ContractsError', code: 'NOT_FOUND' })
  })

  test('and a read of nothing is refused, too', async () => {
    await expect(
      getProposalState(client, { proposal: { governor: nobody, proposalId: 1n } }),
    ).rejects.toMatchObject({ name: 'ContractsError' })
  })
})

test('an account that cannot sign here, or is not the owner, signs nothing', async () => {
  const deployment = world.deployment
  const account = { ...world.account(5), signTypedData: undefined } as unknown as LocalAccount
  const contribution = contributionOf(world, world.account(5))
  const deadline = 2n ** 40n
  const registration = {
    statementKey: nobody,
    keySetDigest: zeroHash,
    quoteDigest: zeroHash,
    measurement: zeroHash,
    expiresAt: deadline,
  }
  const batched = { deployment, relayer: nobody, number: 0n, header, index: 0 }
  const owned = { ...entry(), owner: world.account(5).address }
  const cannot = { code: 'NO_ACCOUNT' }
  await expect(signContribution({ account, deployment, contribution, deadline })).rejects.toMatchObject(
    cannot,
  )
  await expect(signNodeApproval({ account, deployment, registration })).rejects.toMatchObject(cannot)
  await expect(signBatchedContribution({ account, ...batched, entry: owned })).rejects.toMatchObject(cannot)
  const other = world.account(6)
  const invalid = { code: 'ARGUMENT_INVALID' }
  await expect(
    signContribution({ account: other, deployment, contribution, deadline }),
  ).rejects.toMatchObject(invalid)
  await expect(signBatchedContribution({ account: other, ...batched, entry: owned })).rejects.toMatchObject(
    invalid,
  )
})

test('a statement is about something', () => {
  const bound = { deployment: world.deployment, nonce: 1n }
  const job = { ...bound, jobId: 1n, manifestDigest: digest('manifest'), pools: [] }
  expect(() => startContext(job)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }))
  expect(() => handOffContext({ ...job, to: nobody })).toThrow(
    expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
  )
  expect(() => verdictBatchContext({ ...bound, pool: nobody, entries: [] })).toThrow(
    expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
  )
})
