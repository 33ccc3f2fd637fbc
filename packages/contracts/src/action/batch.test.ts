import { type Account, createPublicClient, encodeFunctionData, type Hex, http, parseEventLogs } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contributionBatchesAbi } from '../abi/ContributionBatches.js'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import { poolAbi } from '../abi/Pool.js'
import { deployMarket } from '../deploy/index.js'
import { merkleTree } from '../merkle/tree.js'
import {
  type BatchEntry,
  batchErasureContext,
  batchedContributionTypedData,
  erasureContext,
  handOffContext,
  heartbeatContext,
  releaseContext,
  signBatchedContribution,
  startContext,
  verdictRootContext,
} from '../statement/index.js'
import { passProposal } from '../testing/pass-proposal.js'
import {
  contributionOf,
  createWorld,
  digest,
  nextNonce,
  prove,
  revertOf,
  type World,
} from '../testing/world.js'
import {
  assignJob,
  batchTree,
  cancelBatchEntry,
  collectPoolTokens,
  contribute,
  contributeMerkleBatch,
  finalBlock,
  forfeitBatchEntry,
  fundJob,
  getBalance,
  getBatch,
  getBatches,
  getCollectable,
  getContribution,
  getFunding,
  getJob,
  getNextBatchNumber,
  getPoints,
  handOffJob,
  heartbeatJob,
  inspect,
  invoke,
  isBatchEntryCancelled,
  payBatchVerdicts,
  proposeApproval,
  proposeJob,
  recordBatchErasure,
  recordVerdictRoot,
  releaseAndSettleJob,
  requeueJob,
  startJob,
  supersedeBatchEntry,
  transferToken,
  verdictTree,
  withdrawBatchEntry,
} from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

const header = () => ({
  pool: world.pool.pool,
  epoch: 1,
  schemaId: digest('schema'),
  locatorBase: 'https://blobs/',
})

async function signedEntries(count: number, owners: readonly Account[]) {
  const { deployment, deployer } = world
  const number = await getNextBatchNumber(world.client, { deployment, relayer: deployer.address })
  const entries = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const account = owners[index % owners.length] as Account
      const entry: BatchEntry = {
        owner: account.address,
        blobDigest: digest(`batched ${nextNonce()}`),
        commitment: digest(`commitment ${index}`),
        consentDigest: digest('consent'),
      }
      const place = { deployment, relayer: deployer.address, number, header: header(), index, entry }
      return { ...entry, signature: await signBatchedContribution({ ...place, account }) }
    }),
  )
  return { number, entries }
}

describe('Merkle batches', () => {
  test('an owner cancels before the batch comes, replaces after it, and a node states the erasure', async () => {
    const { client, deployment, node, pool, deployer, clientOf } = world
    const owners = [world.account(6), world.account(7)] as const
    const { number, entries } = await signedEntries(4, owners)
    const signedPlace = { deployment, relayer: deployer.address, number, header: header(), index: 2 }
    const [owner] = owners
    const ofOwner = { ...signedPlace, owner: owner.address }
    expect(await isBatchEntryCancelled(client, ofOwner)).toBe(false)
    await cancelBatchEntry(clientOf(owner), signedPlace)
    expect(await isBatchEntryCancelled(client, ofOwner)).toBe(true)
    expect(await revertOf(cancelBatchEntry(clientOf(owner), signedPlace))).toBe('EntryAlreadyCancelled')
    const sent = await contributeMerkleBatch(client, { deployment, number, header: header(), entries })
    const { batchId } = sent
    const withdrawn = (index: bigint) =>
      inspect(client, {
        address: deployment.contributionBatches,
        abi: contributionBatchesAbi,
        functionName: 'isWithdrawn',
        args: [batchId, index],
      })
    expect([await withdrawn(0n), await withdrawn(2n)]).toEqual([false, true])
    expect(await revertOf(cancelBatchEntry(clientOf(owner), signedPlace))).toBe('NumberNotNext')

    const entry = entries[1] as BatchEntry
    const place = { deployment, batchId, index: 1, entry, proof: batchTree(entries).proof(1) }
    const replacement = digest('newer version')
    expect(await revertOf(supersedeBatchEntry(clientOf(owner), { ...place, replacement }))).toBe(
      'OwnerNotSender',
    )
    const other = clientOf(owners[1])
    const replaced = await supersedeBatchEntry(other, { ...place, replacement })
    const [event] = parseEventLogs({
      abi: contributionBatchesAbi,
      eventName: 'BatchEntrySuperseded',
      logs: replaced.receipt.logs,
    })
    expect(event?.args).toMatchObject({ id: batchId, index: 1n, replacement })
    const erase = async (index: number) => {
      const fields = { batchId, index }
      const context = batchErasureContext({
        deployment,
        nonce: nextNonce(),
        pool: pool.pool,
        ...fields,
      })
      const statement = await prove(node, 'batchErasure', context)
      return recordBatchErasure(client, { deployment, ...fields, statement })
    }
    expect(await revertOf(erase(0))).toBe('NotErasable')
    await erase(1)
    await erase(2)
    expect(await revertOf(erase(2))).toBe('NotErasable')
  })

  test('a batch goes from its owners to their rewards, and an entry is taken back', async () => {
    const { client, deployment, node, pool } = world
    const owners = [world.account(1), world.account(2)]
    const { number, entries } = await signedEntries(5, owners)
    const before = await finalBlock(client, { confirmations: 0 })
    const { batchId, root } = await contributeMerkleBatch(client, {
      deployment,
      number,
      header: header(),
      entries,
    })
    const tree = batchTree(entries)
    expect(root).toBe(tree.root)
    const [event] = await getBatches(client, { deployment, fromBlock: before + 1n })
    expect(event).toMatchObject({ id: batchId, number, root, header: header() })
    expect(event?.entries.map(({ blobDigest }) => blobDigest)).toEqual(
      entries.map(({ blobDigest }) => blobDigest),
    )
    expect(event?.entries[0]?.owner.toLowerCase()).toBe(owners[0]?.address.toLowerCase())
    expect(await getBatch(client, { deployment, batchId })).toMatchObject({ count: 5, verdictRoot: null })

    const verdicts = entries.map(({ owner }, index) => ({
      index,
      owner,
      score: 100 * (index + 1),
      verdictDigest: digest(`verdict ${index}`),
    }))
    const judged = verdictTree(batchId, verdicts)
    const fields = { batchId, root: judged.root, accepted: 5 }
    const context = verdictRootContext({
      deployment,
      nonce: nextNonce(),
      pool: pool.pool,
      entriesRoot: batchTree(entries).root,
      ...fields,
    })
    const statement = await prove(node, 'verdictRoot', context)
    await recordVerdictRoot(client, { deployment, ...fields, statement })
    expect((await getBatch(client, { deployment, batchId })).verdictRoot).toBe(judged.root)
    const paid = verdicts.map((verdict, index) => ({ ...verdict, proof: judged.proof(index) }))
    await payBatchVerdicts(client, { deployment, batchId, verdicts: paid })
    const first = { pool: pool.pool, contributor: owners[0]?.address ?? '0x' } as const
    // Credited at once, minted when they are collected, whoever asks.
    const owed = await getCollectable(client, first)
    expect(owed).toBe(900n)
    const account = first.contributor
    const balance = () => getBalance(client, { token: pool.token, account })
    expect(await balance()).toBe(0n)
    await collectPoolTokens(client, first)
    expect(await balance()).toBe(owed)
    expect(await getCollectable(client, first)).toBe(0n)
    expect(await revertOf(collectPoolTokens(world.clientOf(world.account(1)), { pool: pool.pool }))).toBe(
      'NothingToCollect',
    )
    await expect(
      collectPoolTokens(createPublicClient({ transport: http(world.devnet.rpcUrl) }), { pool: pool.pool }),
    ).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
    expect(await getPoints(client, first)).toBe(900n)
    expect(await revertOf(payBatchVerdicts(client, { deployment, batchId, verdicts: paid }))).toBe(
      'AlreadyPaid',
    )

    const own = world.clientOf(owners[0] as Account)
    const [entry] = entries
    if (entry === undefined) throw new Error('no entry')
    await withdrawBatchEntry(own, { deployment, batchId, index: 0, entry, proof: tree.proof(0) })
    const [verdict] = verdicts
    if (verdict === undefined) throw new Error('no verdict')
    await forfeitBatchEntry(client, { deployment, batchId, verdict, proof: judged.proof(0) })
    expect(await getPoints(client, first)).toBe(800n)

    const batches = { address: deployment.contributionBatches, abi: contributionBatchesAbi } as const
    const erased = async (index: number) => {
      const place = { pool: pool.pool, batchId, index }
      const statement = await prove(
        node,
        'batchErasure',
        batchErasureContext({ deployment, nonce: nextNonce(), ...place }),
      )
      const args = [batchId, 0n, statement] as const
      return invoke(client, { ...batches, functionName: 'recordErasure', args })
    }
    expect(await revertOf(erased(1))).toBe('StatementSignerNotActive') // what it says of another entry
    await erased(0)
    expect(await inspect(client, { ...batches, functionName: 'isErased', args: [batchId, 0n] })).toBe(true)
    expect(await revertOf(erased(0))).toBe('NotErasable')
  })

  test('bad batches are refused before and on chain', async () => {
    const { client, deployment } = world
    const { number, entries } = await signedEntries(2, [world.account(1)])
    const call = { deployment, number, header: header() }
    await expect(contributeMerkleBatch(client, { ...call, entries: [] })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    const swapped = [...entries].reverse()
    expect(await revertOf(contributeMerkleBatch(client, { ...call, entries: swapped }))).toBe(
      'ContributionSignatureInvalid',
    )
    expect(await revertOf(contributeMerkleBatch(client, { ...call, number: number + 1n, entries }))).toBe(
      'NumberNotNext',
    )
    await expect(getBatch(client, { deployment, batchId: 999n })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('only the owner with a local key signs', async () => {
    const { deployment, deployer } = world
    const entry = {
      owner: deployer.address,
      blobDigest: digest('b'),
      commitment: digest('c'),
      consentDigest: digest('d'),
    }
    const place = { deployment, relayer: deployer.address, number: 0n, header: header(), index: 0, entry }
    await expect(signBatchedContribution({ ...place, account: world.account(3) })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    const remote = { address: deployer.address, type: 'json-rpc' } as const
    await expect(signBatchedContribution({ ...place, account: remote })).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
    })
    expect(batchedContributionTypedData(place).message.index).toBe(0n)
  })

  test('trees have a leaf', () => {
    expect(() => merkleTree([])).toThrowError(/at least one leaf/)
    const leaf = digest('leaf')
    expect(merkleTree([leaf])).toMatchObject({ root: leaf })
    expect(merkleTree([leaf]).proof(0)).toEqual([])
    expect(() => merkleTree([leaf]).proof(1)).toThrowError(/no leaf 1/)
  })
})

describe('the longer life of a job', () => {
  async function fundedJob(options: { class?: 'Open' | 'Drawn'; templateDigest?: Hex }) {
    const { client, deployment, devnet, pool } = world
    const member = world.account(5)
    const own = world.clientOf(member)
    if ((await getPoints(client, { pool: pool.pool, contributor: member.address })) === 0n) {
      const { number, entries } = await signedEntries(1, [member])
      const { batchId } = await contributeMerkleBatch(client, {
        deployment,
        number,
        header: header(),
        entries,
      })
      const verdict = { index: 0, owner: member.address, score: 10_000, verdictDigest: digest('v') }
      const { root } = verdictTree(batchId, [verdict])
      const context = verdictRootContext({
        deployment,
        nonce: nextNonce(),
        pool: pool.pool,
        batchId,
        entriesRoot: batchTree(entries).root,
        root,
        accepted: 1,
      })
      const statement = await prove(world.node, 'verdictRoot', context)
      await recordVerdictRoot(client, { deployment, batchId, root, accepted: 1, statement })
      await payBatchVerdicts(client, { deployment, batchId, verdicts: [{ ...verdict, proof: [] }] })
      // Credited tokens count in the quorum: who has most of them has to collect them to be heard.
      await collectPoolTokens(client, { pool: pool.pool, contributor: member.address })
      await transferToken(client, { token: deployment.protocolToken, to: member.address, amount: 1_000n })
    }
    const manifestDigest = digest(`manifest ${nextNonce()}`)
    const { jobId } = await proposeJob(own, {
      deployment,
      manifestDigest,
      manifestLocator: '',
      pools: [pool.pool],
      deadline: (await world.now()) + 1_000_000n,
      ...options,
    })
    const opensAt = await world.now()
    const terms = { price: 10n, poolTokenBurn: 0n, runs: 1, opensAt, closesAt: opensAt + 900_000n }
    await devnet.advanceTime(2)
    const proposal = await proposeApproval(own, { deployment, jobId, pool: pool.pool, terms })
    await passProposal(world, proposal, [{ account: member, support: 'for' }])
    expect((await getFunding(own, { deployment, jobId })).price).toBe(10n)
    await fundJob(own, { deployment, jobId, approveTokens: true })
    return { jobId, consumer: member.address, manifestDigest, pools: [pool.pool] }
  }

  test('drawn, started, heard, handed over and settled', async () => {
    const { client, deployment, devnet, node } = world
    const templateDigest = digest('template')
    const subject = await fundedJob({ class: 'Drawn', templateDigest })
    const { jobId } = subject
    const bound = () => ({ deployment, nonce: nextNonce(), ...subject })
    expect(await getJob(client, { deployment, jobId })).toMatchObject({ class: 'Drawn', state: 'Funded' })
    const start = await prove(node, 'start', startContext(bound()))
    expect(await revertOf(startJob(client, { deployment, jobId, statement: start }))).toBe('NotAssigned')
    for (let block = 0; block < 3; block++) await devnet.advanceTime(1)
    await assignJob(client, { deployment, jobId })
    const assigned = await getJob(client, { deployment, jobId })
    expect(assigned).toMatchObject({ state: 'Assigned', attempts: 0 })
    expect(assigned.node?.toLowerCase()).toBe(node.address.toLowerCase())
    await startJob(client, { deployment, jobId, statement: start })
    await devnet.advanceTime(5)
    const time = (await world.now()) - 1n
    const beat = await prove(node, 'heartbeat', heartbeatContext({ ...bound(), time }))
    await heartbeatJob(client, { deployment, jobId, time, statement: beat })
    expect((await getJob(client, { deployment, jobId })).seenAt).toBe(time)
    expect(await revertOf(requeueJob(client, { deployment, jobId }))).toBe('NodeNotSilent')
    const to = world.account(9).address
    const hand = await prove(node, 'handOff', handOffContext({ ...bound(), to }))
    expect(await revertOf(handOffJob(client, { deployment, jobId, to, statement: hand }))).toBe(
      'NodeNotActive',
    )
    const outcome = { receiptDigest: digest('r'), resultDigest: digest('s'), budgetHeads: [digest('h')] }
    const release = await prove(node, 'release', releaseContext({ ...bound(), ...outcome }))
    await releaseAndSettleJob(client, { deployment, jobId, ...outcome, statement: release })
    expect((await getJob(client, { deployment, jobId })).state).toBe('Settled')
  })

  test('a silent node loses the job', async () => {
    const { client, deployment, devnet, node } = world
    const subject = await fundedJob({})
    const { jobId } = subject
    const statement = await prove(node, 'start', startContext({ deployment, nonce: nextNonce(), ...subject }))
    await startJob(client, { deployment, jobId, statement })
    await devnet.advanceTime(3_601)
    await requeueJob(client, { deployment, jobId })
    expect(await getJob(client, { deployment, jobId })).toMatchObject({
      state: 'Funded',
      attempts: 1,
      node: null,
    })
    expect(await revertOf(startJob(client, { deployment, jobId, statement }))).toBe('NodeHadJob')
  })
})

describe('any function of any contract', () => {
  test('is simulated, decoded and read', async () => {
    const { client, deployment, node } = world
    const owner = world.account(6)
    const own = world.clientOf(owner)
    const { id } = await contribute(own, { deployment, contribution: contributionOf(world, owner) })
    const registry = { address: deployment.dataRegistry, abi: dataRegistryAbi } as const
    expect(await revertOf(invoke(client, { ...registry, functionName: 'withdraw', args: [id] }))).toBe(
      'OwnerNotSender',
    )
    await invoke(own, { ...registry, functionName: 'withdraw', args: [id] })
    expect((await getContribution(client, { deployment, id })).state).toBe('Withdrawn')
    const context = erasureContext({
      deployment,
      nonce: nextNonce(),
      pool: world.pool.pool,
      contributionId: id,
    })
    const statement = await prove(node, 'erasure', context)
    await invoke(client, { ...registry, functionName: 'recordErasure', args: [id, statement] })
    expect((await getContribution(client, { deployment, id })).state).toBe('Erased')
    const pool = { address: world.pool.pool, abi: poolAbi } as const
    expect(await inspect(client, { ...pool, functionName: 'name', args: [] })).toBe('pay')
    const deep = { confirmations: 1 }
    const points = await inspect(client, { ...pool, functionName: 'totalPoints', args: [], finality: deep })
    expect(typeof points).toBe('bigint')
    expect(await revertOf(invoke(client, { ...pool, functionName: 'pause', args: [] }))).toBe('OnlyGuardian')
    expect(encodeFunctionData({ abi: poolAbi, functionName: 'pause' })).toMatch(/^0x/)
  })

  test('finality is a parameter', async () => {
    const { client } = world
    const newest = await finalBlock(client, { confirmations: 0 })
    expect(await finalBlock(client, { confirmations: 3 })).toBe(newest - 3n)
    expect(await finalBlock(client, { blockTag: 'finalized' })).toBeLessThanOrEqual(newest)
    await expect(finalBlock(client, { confirmations: -1 })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    await expect(finalBlock(client, { confirmations: 10_000_000 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  test('the contracts around a deployment have no owner', async () => {
    const { client, deployment, deployer } = world
    const market = await deployMarket(client, { deployment, arbiter: deployer.address, minimumStake: 1n })
    expect(new Set(Object.values(market)).size).toBe(7)
    expect(privateKeyToAccount(generatePrivateKey()).address).not.toBe(market.anchors)
  })
})
