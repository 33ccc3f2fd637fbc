// Gas on a local chain: contributions and verdicts in batches, and the whole life of a job.

import {
  claimRewards,
  contribute,
  contributeBatch,
  deployAll,
  execute,
  foundPool,
  fundJob,
  poolKeyContext,
  proposeApproval,
  proposeJob,
  publishPoolKey,
  queue,
  recordVerdicts,
  registerNode,
  releaseContext,
  releaseJob,
  setMeasurement,
  settleJob,
  setVerifiers,
  signContribution,
  signNodeApproval,
  startContext,
  startJob,
  transferToken,
  verdictBatchContext,
  vote,
} from '@sealpool/contracts'
import { startDevnet } from '@sealpool/contracts/devnet'
import {
  addressOf,
  digestToHex,
  encodeHex,
  platformRandom,
  sha256Digest,
  signStatement,
  statementDigest,
} from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, getBlockNumber } from 'viem/actions'
import { foundry } from 'viem/chains'
import { median } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { printTable } from './measure/table.mjs'

const batch = 50
const digest = (name) => digestToHex(sha256Digest(new TextEncoder().encode(name)))
const gas = (value) => Math.round(Number(value)).toLocaleString('en-US')

const list = (steps) => steps.map(([name, used]) => `${name} ${gas(used)}`).join(', ')

let nonces = 0n
const nextNonce = () => ++nonces

/** A chain with all contracts and one registered node. */
async function createWorld(devnet) {
  const clientOf = (account) =>
    createWalletClient({ account, chain: foundry, transport: http(devnet.rpcUrl) })
  const accounts = devnet.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey))
  const client = clientOf(accounts[0])
  const now = async () => (await getBlock(client)).timestamp
  const deployment = await deployAll({ walletClient: client })
  const verifier = privateKeyToAccount(encodeHex(platformRandom(32)))
  const nodeKey = platformRandom(32)
  await setVerifiers(client, { deployment, verifiers: [verifier.address], threshold: 1 })
  await setMeasurement(client, { deployment, measurement: digest('measurement'), allowed: true })
  const registration = {
    statementKey: addressOf(nodeKey),
    keySetDigest: digest('key set'),
    quoteDigest: digest('quote'),
    measurement: digest('measurement'),
    expiresAt: (await now()) + 60n * 86_400n,
  }
  const signatures = [await signNodeApproval({ account: verifier, deployment, registration })]
  await registerNode(client, { deployment, registration, signatures })

  /** What the node says, as it says it: a signed statement. */
  const say = (type, context) => {
    const statement = { type, version: 1, body: { nonce: context.nonce } }
    const { signature } = signStatement({ statement, context, privateKey: nodeKey })
    return { digest: digestToHex(statementDigest(statement)), nonce: BigInt(context.nonce), signature }
  }
  /** A pool with its key published, so that it takes contributions. */
  const found = async (name) => {
    const pool = await foundPool(client, {
      deployment,
      name,
      symbol: name.toUpperCase(),
      policyDigest: digest('policy'),
      pocDigest: digest('poc'),
      refinerDigest: digest('refiner'),
      rewardPerFullScore: 10_000n,
      governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 5, quorumPercent: 10 },
    })
    const key = { pool: pool.pool, epoch: 1, policyDigest: digest('policy'), keyDigest: digest('key') }
    const context = poolKeyContext({ deployment, nonce: nextNonce(), ...key })
    await publishPoolKey(client, { ...key, statement: say('sealpool/pool-key', context) })
    return pool
  }
  return { devnet, deployment, accounts, client, clientOf, now, found, say }
}

/** Gas of all that one action sent. */
async function gasOf(client, action) {
  const before = await getBlockNumber(client, { cacheTime: 0 })
  const value = await action()
  const after = await getBlockNumber(client, { cacheTime: 0 })
  let used = 0n
  for (let blockNumber = before + 1n; blockNumber <= after; blockNumber++) {
    used += (await getBlock(client, { blockNumber })).gasUsed
  }
  return { used, value }
}

function contributionOf(pool, owner, nonce) {
  return {
    owner: owner.address,
    pool: pool.pool,
    blobDigest: digest(`blob ${nonce}`),
    commitment: digest(`commitment ${nonce}`),
    schemaId: digest('schema'),
    consentDigest: digest('consent'),
    epoch: 1,
    // As long as the address of a blob on IPFS, as in the figures of the other network.
    locator: `ipfs://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenx${String(nonce).padStart(4, '0')}`,
    nonce,
  }
}

async function judge(world, pool, ids) {
  const { deployment, client, say } = world
  const entries = ids.map((id) => ({
    contributionId: id,
    score: 9_000,
    refused: false,
    verdictDigest: digest(`verdict ${id}`),
  }))
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
  const statement = say('sealpool/verdict-batch', context)
  return gasOf(client, () => recordVerdicts(client, { deployment, pool: pool.pool, entries, statement }))
}

/** Contributions of new owners, relayed in batches, and their verdicts. */
async function measureContributions(world) {
  const { deployment, client, accounts, clientOf } = world
  const pool = await world.found('pay')
  const newcomer = accounts[1]
  const deadline = (await world.now()) + 86_400n
  const contributions = []
  const verdicts = []
  for (let round = 0; round < 3; round++) {
    const signed = []
    for (let index = 0; index < batch; index++) {
      const account = privateKeyToAccount(encodeHex(platformRandom(32)))
      const contribution = contributionOf(pool, account, 1n)
      signed.push(await signContribution({ account, deployment, contribution, deadline }))
    }
    const { used, value } = await gasOf(client, () => contributeBatch(client, { deployment, signed }))
    contributions.push(Number(used) / batch)
    verdicts.push(Number((await judge(world, pool, value.ids)).used) / batch)
  }
  const own = clientOf(newcomer)
  const contribution = contributionOf(pool, newcomer, 1n)
  const alone = await gasOf(own, () => contribute(own, { deployment, contribution }))
  const verdictAlone = await judge(world, pool, [alone.value.id])
  return {
    contribution: median(contributions),
    verdict: median(verdicts),
    alone: Number(alone.used),
    verdictAlone: Number(verdictAlone.used),
  }
}

/** One job over one pool, from the proposal to a contributor's claim; which has one member. */
async function measureJob(world) {
  const { deployment, client, accounts, clientOf, devnet, say } = world
  const [, , member, consumer] = accounts
  const pool = await world.found('people')
  const asMember = clientOf(member)
  const { id } = await contribute(asMember, { deployment, contribution: contributionOf(pool, member, 1n) })
  await judge(world, pool, [id])
  const steps = []
  const step = async (name, who, action) => {
    const { used, value } = await gasOf(client, action)
    steps.push({ name, who, used })
    return value
  }
  await transferToken(client, { token: deployment.protocolToken, to: consumer.address, amount: 100_000n })
  await transferToken(asMember, { token: pool.token, to: consumer.address, amount: 100n })
  const manifestDigest = digest('manifest')
  const deadline = (await world.now()) + 50_000n
  const asConsumer = clientOf(consumer)
  const { jobId } = await step('propose', 'consumer', () =>
    proposeJob(asConsumer, {
      deployment,
      manifestDigest,
      manifestLocator: 'memory:manifest',
      pools: [pool.pool],
      deadline,
    }),
  )
  const opensAt = await world.now()
  const terms = { price: 1_000n, poolTokenBurn: 50n, runs: 1, opensAt, closesAt: opensAt + 100_000n }
  const proposal = await step('put the approval to the vote', 'member', () =>
    proposeApproval(asMember, { deployment, jobId, pool: pool.pool, terms }),
  )
  await devnet.advanceTime(2)
  await step('one vote', 'member', () => vote(asMember, { proposal, support: 'for' }))
  await devnet.advanceTime(61)
  await step('queue', 'anyone', () => queue(client, { proposal }))
  await devnet.advanceTime(6)
  await step('execute the approval', 'anyone', () => execute(client, { proposal }))
  await step('fund, with both token approvals', 'consumer', () =>
    fundJob(asConsumer, { deployment, jobId, approveTokens: true }),
  )
  const subject = () => ({ deployment, nonce: nextNonce(), jobId, manifestDigest, pools: [pool.pool] })
  await step('start', 'node', () =>
    startJob(client, { deployment, jobId, statement: say('sealpool/start', startContext(subject())) }),
  )
  const outcome = {
    receiptDigest: digest('receipt'),
    resultDigest: digest('result'),
    budgetHeads: [digest('budget head')],
  }
  await step('release', 'node', () =>
    releaseJob(client, {
      deployment,
      jobId,
      ...outcome,
      statement: say('sealpool/release', releaseContext({ ...subject(), ...outcome })),
    }),
  )
  await step('settle', 'anyone', () => settleJob(client, { deployment, jobId }))
  await step('claim of one contributor', 'anyone', () =>
    claimRewards(client, { pool: pool.pool, contributor: member.address }),
  )
  return steps
}

/**
 * Vana, the existing data pool network, for scale. These are not measured here, and the network publishes no gas figures: research
 * notes of November 2026 (shared/reference/vana.md, section 2.1) ran its published contracts with solc 0.8.24 (via IR, runs 1),
 * ERC-1967 proxies, on ganache.
 */
const vana = {
  addFileWithPermission: 616_419,
  requestProof: 354_366,
  addProof: 458_427,
  requestReward: 333_937,
  job: [
    ['add instruction', 212_146],
    ['approve it', 102_857],
    ['add permission', 239_460],
    ['approve it', 85_645],
    ['submit job', 279_397],
    ['mark completed', 98_571],
    ['pay', 225_305],
    ['claim', 121_867],
  ],
}

export async function run({ print }) {
  printMachine(print)
  const devnet = await startDevnet()
  try {
    const world = await createWorld(devnet)
    const { contribution, verdict, alone, verdictAlone } = await measureContributions(world)
    const { addFileWithPermission, requestProof, addProof, requestReward } = vana
    const whole = addFileWithPermission + requestProof + addProof + requestReward
    const fraction = (own, other) => `1 / ${(other / own).toFixed(1)}`
    printTable(print, {
      title: `Gas of one contribution, new owners (anvil; batches of ${batch})`,
      columns: ['', 'here', 'Vana *', 'ratio'],
      rows: [
        [
          'contribution, in a batch | addFileWithPermissions',
          gas(contribution),
          gas(addFileWithPermission),
          fraction(contribution, addFileWithPermission),
        ],
        [
          'verdict, points and reward, in a batch | request + proof + reward',
          gas(verdict),
          gas(whole - addFileWithPermission),
          fraction(verdict, whole - addFileWithPermission),
        ],
        ['both', gas(contribution + verdict), gas(whole), fraction(contribution + verdict, whole)],
        [
          'both, without any batch',
          gas(alone + verdictAlone),
          gas(whole),
          fraction(alone + verdictAlone, whole),
        ],
      ],
      notes: [
        '* Not of this run, and not published by Vana: research notes of November 2026 ran its published contracts',
        '  (DataRegistry, TeePool, DLP; solc 0.8.24, ganache). They hold a wrapped key of 514 characters for each file.',
      ],
    })
    const steps = await measureJob(world)
    const total = steps.reduce((sum, { used }) => sum + used, 0n)
    printTable(print, {
      title: 'Gas of a job’s life over one pool',
      columns: ['', 'gas', 'who sends'],
      rows: [...steps.map(({ name, who, used }) => [name, gas(used), who]), ['all of it', gas(total), null]],
      notes: [
        `Vana *: ${list(vana.job.slice(0, 4))},`,
        `  ${list(vana.job.slice(4))}:`,
        `  ${gas(vana.job.reduce((sum, [, used]) => sum + used, 0))} together, without a vote.`,
      ],
    })
  } finally {
    await devnet.stop()
  }
}
