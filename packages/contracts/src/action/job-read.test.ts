import { pad } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { factsHash, type StatementFact } from '../statement/statement-context.js'
import { chainThat } from '../testing/scripted-chain.js'
import { createWorld, digest, revertOf, type World } from '../testing/world.js'
import {
  finalBlock,
  fundJob,
  getFunding,
  getGrant,
  getGrantedDigest,
  getJob,
  getJobCount,
  getJobEvents,
  getNode,
  getProposalState,
  getVerdicts,
  proposeApproval,
  proposeJob,
  registerNode,
} from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

const missing = { name: 'ContractsError', code: 'NOT_FOUND' }

test('a job of the other class, under a template, is read as it was proposed', async () => {
  const { client, deployment, pool } = world
  const before = await getJobCount(client, { deployment })
  const proposal = {
    deployment,
    manifestDigest: digest('manifest'),
    manifestLocator: 'memory:manifest',
    pools: [pool.pool],
    deadline: (await world.now()) + 1_000n,
  }
  const drawn = await proposeJob(client, { ...proposal, class: 'Drawn', templateDigest: digest('template') })
  const open = await proposeJob(client, proposal)
  expect(await getJobCount(client, { deployment })).toBe(before + 2n)
  const templated = await proposeJob(client, { ...proposal, templateDigest: digest('template') })
  expect(await getJob(client, { deployment, jobId: templated.jobId })).toMatchObject({ class: 'Open' })
  const lot = await proposeJob(client, { ...proposal, class: 'Drawn' })
  expect(await getGrantedDigest(client, { deployment, jobId: lot.jobId })).toBe(digest('manifest'))
  const jobId = drawn.jobId
  expect(await getJob(client, { deployment, jobId })).toMatchObject({
    class: 'Drawn',
    state: 'Proposed',
    node: null,
  })
  expect(await getJob(client, { deployment, jobId: open.jobId })).toMatchObject({ class: 'Open' })
  expect(await getGrantedDigest(client, { deployment, jobId })).toBe(digest('template'))
  expect(await getGrantedDigest(client, { deployment, jobId: open.jobId })).toBe(digest('manifest'))
  const events = await getJobEvents(client, { deployment, jobId })
  expect(events.map(({ name }) => name)).toEqual(['JobProposed', 'JobStateChanged', 'JobClassified'])
  expect((await getJobEvents(client, { deployment })).some(({ id }) => id === open.jobId)).toBe(true)

  const grant = {
    deployment,
    grantee: world.deployer.address,
    pool: pool.pool,
    manifestDigest: digest('manifest'),
  }
  expect(await getGrant(client, grant)).toBeNull()
  await expect(getFunding(client, { deployment, jobId })).rejects.toMatchObject(missing)
  const sender = { account: world.deployer, timeoutMs: 5_000 }
  await expect(fundJob(client, { deployment, jobId, approveTokens: true, ...sender })).rejects.toMatchObject(
    missing,
  )
  expect(await revertOf(fundJob(client, { deployment, jobId, ...sender }))).toBe('TransitionNotAllowed')
  const opensAt = await world.now()
  const terms = { price: 1n, poolTokenBurn: 0n, runs: 1, opensAt, closesAt: opensAt + 9n }
  const other = world.account(4).address
  await expect(proposeApproval(client, { deployment, jobId, pool: other, terms })).rejects.toMatchObject(
    missing,
  )
  await expect(getJob(client, { deployment, jobId: 999n })).rejects.toMatchObject(missing)
})

test('a node that never registered is missing, and a malformed approval is no approval', async () => {
  const { client, deployment } = world
  const statementKey = world.account(8).address
  await expect(getNode(client, { deployment, statementKey })).rejects.toMatchObject(missing)
  const registration = {
    statementKey,
    keySetDigest: digest('k'),
    quoteDigest: digest('q'),
    measurement: world.measurement,
    expiresAt: (await world.now()) + 60n,
  }
  for (const signature of ['0x', '0x1234', `0x${'ff'.repeat(65)}`] as const) {
    await expect(
      registerNode(client, { deployment, registration, signatures: [signature] }),
    ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  }
})

test('a chain without a final block has none, and a broken one says so', async () => {
  const without = chainThat({ eth_getBlockByNumber: null })
  await expect(finalBlock(without, { blockTag: 'finalized' })).rejects.toMatchObject(missing)
  const broken = chainThat({ eth_getBlockByNumber: new Error('closed') })
  await expect(finalBlock(broken, { blockTag: 'safe' })).rejects.toMatchObject({ name: 'ContractsError' })
})

test('a state that this version does not know is an error, not a guess', async () => {
  const proposal = { governor: world.pool.governor, proposalId: 1n }
  const newer = chainThat({ eth_call: pad('0x63') })
  await expect(getProposalState(newer, { proposal })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
})

test('verdicts are found by pool and by contribution', async () => {
  const { client, deployment, pool } = world
  expect(await getVerdicts(client, { deployment, pool: pool.pool })).toEqual([])
  expect(await getVerdicts(client, { deployment, id: 1n })).toEqual([])
})

test('facts are hashed word by word; no facts are the zero hash', () => {
  const zero = `0x${'00'.repeat(32)}`
  const one: StatementFact[] = [{ type: 'bool', value: true }]
  expect(factsHash([])).toBe(zero)
  expect(factsHash(one)).toBe(factsHash([{ type: 'uint256', value: '1' }]))
  expect(factsHash([{ type: 'bool', value: false }])).toBe(factsHash([{ type: 'uint256', value: '0' }]))
  expect(factsHash(one)).not.toBe(factsHash([]))
})
