// Gas on a local chain: contributions alone and in batches, the whole life of a job, TDX quotes; beside goals and Vana's.

import { createSimulator } from '@sealpool/attest/simulator'
import {
  appointIssuerCall,
  approveToken,
  bringTdxCollateral,
  burnSettledTokens,
  claimRewards,
  collectPoolTokens,
  contribute,
  contributeBatch,
  contributeMerkleBatch,
  deployAll,
  deployTdxVerifier,
  execute,
  foundPool,
  fundJob,
  getNextBatchNumber,
  payBatchVerdicts,
  permissionsAbi,
  poolKeyContext,
  proposeApproval,
  proposeJob,
  publishPoolKey,
  queue,
  recordRefinement,
  recordVerdictRoot,
  recordVerdicts,
  redeemPermit,
  refinementContext,
  registerNode,
  releaseAndSettleJob,
  releaseContext,
  releaseJob,
  setMeasurement,
  settleJob,
  setVerifiers,
  signBatchedContribution,
  signContribution,
  signNodeApproval,
  signPermit,
  splitTdxQuote,
  startContext,
  startJob,
  tdxVerifierAbi,
  transferToken,
  verdictBatchContext,
  verdictRootContext,
  verdictTree,
  verifyTdxQuote,
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
import { createWalletClient, encodeFunctionData, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, getBlockNumber, sendTransaction, waitForTransactionReceipt } from 'viem/actions'
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
  // Checkpoints of the supply are one a second: in the same second as another reward this would cost 22,600 less.
  await world.devnet.advanceTime(2)
  return gasOf(client, () => recordVerdicts(client, { deployment, pool: pool.pool, entries, statement }))
}

/** Contributions of new owners, relayed in batches, and their verdicts. */
async function measureContributions(world) {
  const { deployment, client } = world
  const pool = await world.found('pay')
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
  return { contribution: median(contributions), verdict: median(verdicts) }
}

/**
 * Jobs over one pool, from the proposal to a contributor's claim. The first one pays for slots that every later one finds
 * filled; tokens are approved beforehand, as they are once for many jobs.
 */
async function measureJobs(world, poolTokenBurn) {
  const { deployment, client, accounts, clientOf, devnet, say } = world
  const [, , member, consumer] = accounts
  const pool = await world.found(`people${poolTokenBurn}`)
  const asMember = clientOf(member)
  const { id } = await contribute(asMember, { deployment, contribution: contributionOf(pool, member, 1n) })
  await judge(world, pool, [id])
  await transferToken(client, { token: deployment.protocolToken, to: consumer.address, amount: 100_000n })
  if (poolTokenBurn !== 0n) {
    await transferToken(asMember, { token: pool.token, to: consumer.address, amount: 1_000n })
  }
  const asConsumer = clientOf(consumer)
  for (const token of [deployment.protocolToken, pool.token]) {
    await approveToken(asConsumer, { token, spender: deployment.jobBoard, amount: 2n ** 256n - 1n })
  }
  const manifestDigest = digest(`manifest ${poolTokenBurn}`)
  const deadline = (await world.now()) + 500_000n
  const steps = []
  const propose = () =>
    proposeJob(asConsumer, {
      deployment,
      manifestDigest,
      manifestLocator: 'memory:manifest',
      pools: [pool.pool],
      deadline,
    })
  const step = async (to, name, who, action) => {
    const { used, value } = await gasOf(client, action)
    to.push({ name, who, used })
    return value
  }
  const { jobId } = await step(steps, 'propose', 'consumer', propose)
  const opensAt = await world.now()
  const terms = { price: 1_000n, poolTokenBurn, runs: 10, opensAt, closesAt: opensAt + 400_000n }
  const proposal = await step(steps, 'put the approval to the vote', 'member', () =>
    proposeApproval(asMember, { deployment, jobId, pool: pool.pool, terms }),
  )
  await devnet.advanceTime(2)
  await step(steps, 'one vote', 'member', () => vote(asMember, { proposal, support: 'for' }))
  await devnet.advanceTime(61)
  await step(steps, 'queue', 'anyone', () => queue(client, { proposal }))
  await devnet.advanceTime(6)
  await step(steps, 'execute the approval', 'anyone', () => execute(client, { proposal }))
  const lives = []
  // One more job stays in escrow throughout, as on a board that is in use.
  const waiting = await propose()
  await fundJob(asConsumer, { deployment, jobId: waiting.jobId })
  const current = [jobId, (await propose()).jobId, (await propose()).jobId, (await propose()).jobId]
  for (const [index, jobId] of current.entries()) {
    await devnet.advanceTime(60)
    const life = []
    await step(life, 'fund', 'consumer', () => fundJob(asConsumer, { deployment, jobId }))
    const subject = () => ({
      deployment,
      nonce: nextNonce(),
      jobId,
      consumer: asConsumer.account.address,
      manifestDigest,
      pools: [pool.pool],
    })
    await step(life, 'start', 'node', () =>
      startJob(client, {
        deployment,
        jobId,
        statement: say('sealpool/start', startContext(subject())),
      }),
    )
    const outcome = {
      receiptDigest: digest('receipt'),
      resultDigest: digest('result'),
      budgetHeads: [digest('budget head')],
    }
    const statement = say('sealpool/release', releaseContext({ ...subject(), ...outcome }))
    const released = { deployment, jobId, ...outcome, statement }
    // The last one is released and settled in one transaction, as a node may do it.
    if (index === current.length - 1) {
      await step(life, 'release and settle', 'node', () => releaseAndSettleJob(client, released))
    } else {
      await step(life, 'release', 'node', () => releaseJob(client, released))
      await step(life, 'settle', 'anyone', () => settleJob(client, { deployment, jobId }))
    }
    lives.push(life)
  }
  const burned =
    poolTokenBurn === 0n
      ? 0n
      : (await gasOf(client, () => burnSettledTokens(client, { deployment, pool: pool.pool }))).used
  await step(steps, 'claim of one contributor', 'anyone', () =>
    claimRewards(client, { pool: pool.pool, contributor: member.address }),
  )
  // A grant alone: the pool's timelock writes it; here the chain lets us be the timelock, as no vote can be.
  const request = (method, params) => client.request({ method, params })
  await request('anvil_impersonateAccount', [pool.timelock])
  await request('anvil_setBalance', [pool.timelock, '0xde0b6b3a7640000'])
  const data = encodeFunctionData({
    abi: permissionsAbi,
    functionName: 'grant',
    args: [
      consumer.address,
      pool.pool,
      digest('template'),
      { ...terms, scopeDigest: `0x${'00'.repeat(32)}` },
    ],
  })
  const asTimelock = async ({ target, data }) => {
    const hash = await request('eth_sendTransaction', [{ from: pool.timelock, to: target, data }])
    await waitForTransactionReceipt(client, { hash, pollingInterval: 20 })
  }
  const grant = await gasOf(client, () => asTimelock({ target: deployment.permissions, data }))
  // A permit of an issuer that a vote appointed, for a grantee that had no grant of this digest before.
  const place = { pool: pool.pool, issuer: member.address, jobDigest: digest('template of permits') }
  await asTimelock(appointIssuerCall({ deployment, ...place, bounds: terms }))
  const permit = { ...place, appointment: 1, grantee: consumer.address, terms, salt: digest('salt') }
  const signed = await signPermit({ account: member, deployment, permit })
  const redemption = await gasOf(client, () => redeemPermit(asConsumer, { deployment, signed }))
  return { steps, lives, grant: grant.used, redemption: redemption.used, burned }
}

/** The whole life of a contribution that travels alone: contribute, verdict with reward, refinement. */
async function measureLife(world) {
  const { deployment, client, accounts, clientOf, say } = world
  const pool = await world.found('life')
  // A pool that lives: one member, one refinement, before the one that is measured.
  const refine = (name) => {
    const fields = { pool: pool.pool, schemaId: digest('schema'), rowsRoot: digest(name) }
    const context = refinementContext({ deployment, nonce: nextNonce(), ...fields })
    return recordRefinement(client, { deployment, ...fields, statement: say('sealpool/refinement', context) })
  }
  const own = clientOf(accounts[4])
  const first = await contribute(own, { deployment, contribution: contributionOf(pool, accounts[4], 1n) })
  await judge(world, pool, [first.id])
  await refine('rows of before')
  const one = async (account) => {
    const sender = clientOf(account)
    const contribution = contributionOf(pool, account, nextNonce())
    const contributed = await gasOf(client, () => contribute(sender, { deployment, contribution }))
    const verdict = await judge(world, pool, [contributed.value.id])
    const refined = await gasOf(client, () => refine(`rows ${contribution.nonce}`))
    return { contribute: contributed.used, verdict: verdict.used, refine: refined.used }
  }
  return { newcomer: await one(accounts[5]), member: await one(accounts[4]) }
}

/** A hundred contributions in one Merkle batch, of owners who have ten each, to the last token paid. */
async function measureMerkleBatch(world, owners) {
  const { deployment, client, accounts, say } = world
  const pool = await world.found(`merkle${owners}`)
  const size = 100
  const header = {
    pool: pool.pool,
    epoch: 1,
    schemaId: digest('schema'),
    locatorBase: 'https://blobs.example.org/sealed/',
  }
  const run = async (round) => {
    const people = Array.from({ length: owners }, () => privateKeyToAccount(encodeHex(platformRandom(32))))
    const relayer = accounts[0].address
    const number = await getNextBatchNumber(client, { deployment, relayer })
    const entries = await Promise.all(
      Array.from({ length: size }, async (_, index) => {
        const account = people[Math.floor((index * owners) / size)]
        const entry = {
          owner: account.address,
          blobDigest: digest(`batched blob ${round} ${index}`),
          commitment: digest(`batched commitment ${round} ${index}`),
          consentDigest: digest('consent'),
        }
        const signature = await signBatchedContribution({
          account,
          deployment,
          relayer,
          number,
          header,
          index,
          entry,
        })
        return { ...entry, signature }
      }),
    )
    const contributed = await gasOf(client, () =>
      contributeMerkleBatch(client, { deployment, number, header, entries }),
    )
    const { batchId } = contributed.value
    const verdicts = entries.map(({ owner }, index) => ({
      index,
      owner,
      score: 9_000,
      verdictDigest: digest(`verdict ${round} ${index}`),
    }))
    const tree = verdictTree(batchId, verdicts)
    const context = verdictRootContext({
      deployment,
      nonce: nextNonce(),
      pool: pool.pool,
      batchId,
      entriesRoot: contributed.value.root,
      root: tree.root,
      accepted: size,
    })
    const judged = await gasOf(client, () =>
      recordVerdictRoot(client, {
        deployment,
        batchId,
        root: tree.root,
        accepted: size,
        statement: say('sealpool/verdict-root', context),
      }),
    )
    const paid = await gasOf(client, () =>
      // All leaves of the tree: no proofs.
      payBatchVerdicts(client, { deployment, batchId, verdicts }),
    )
    const fields = { pool: pool.pool, schemaId: digest('schema'), rowsRoot: digest(`rows of batch ${round}`) }
    const refinement = refinementContext({ deployment, nonce: nextNonce(), ...fields })
    const refined = await gasOf(client, () =>
      recordRefinement(client, { deployment, ...fields, statement: say('sealpool/refinement', refinement) }),
    )
    // Not the first who ever collects in this pool.
    const collect = (index) =>
      gasOf(client, () => collectPoolTokens(client, { pool: pool.pool, contributor: people[index].address }))
    await world.devnet.advanceTime(60)
    await collect(0)
    // Vote checkpoints are one a second: in the same second as another this would cost less.
    await world.devnet.advanceTime(60)
    const collected = await collect(1)
    const each = ({ used }) => Number(used) / size
    const parts = {
      contribute: each(contributed),
      verdict: each(judged),
      pay: each(paid),
      refine: each(refined),
    }
    return { parts, collect: Number(collected.used) }
  }
  // A pool in use: its totals and the relayer's counter are there already.
  await run(0)
  return run(1)
}

/** On-chain verification of a simulated TDX quote, and of the collateral that it needs, as transactions. */
async function measureTdx(hardfork) {
  const devnet = await startDevnet({ hardfork })
  try {
    const client = createWalletClient({
      account: privateKeyToAccount(devnet.accounts[0].privateKey),
      chain: foundry,
      transport: http(devnet.rpcUrl),
    })
    const at = new Date(Number((await getBlock(client)).timestamp) * 1000)
    const simulator = createSimulator({ random: platformRandom, at })
    const files = simulator.collateral(at)
    const evidence = splitTdxQuote(simulator.quote({ reportData: platformRandom(64) }))
    const certificates = (pem) =>
      [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(
        ([, text]) => `0x${Buffer.from(text, 'base64').toString('hex')}`,
      )
    const { collateral, verifier } = await deployTdxVerifier(client, {
      rootCertificate: encodeHex(simulator.rootCertificate),
    })
    const { authority, sent } = await bringTdxCollateral(client, {
      collateral,
      files: {
        rootRevocationList: files.rootCaCrl,
        authority: evidence.chain[1],
        authorityRevocationList: files.pckCrl,
        signer: certificates(files.tcbInfoIssuerChain)[0],
        tcbInfo: files.tcbInfo,
        identity: files.qeIdentity,
      },
    })
    const { status } = await verifyTdxQuote(client, { verifier, evidence, authority })
    if (status !== 'UpToDate') throw new Error(`the simulated quote is ${status}`)
    const data = encodeFunctionData({
      abi: tdxVerifierAbi,
      functionName: 'verifyQuote',
      args: [evidence.quote, evidence.platformCertificate, authority],
    })
    // A view costs what it costs in a transaction: sent as one, and the receipt tells.
    const { used } = await gasOf(client, async () => {
      const hash = await sendTransaction(client, { to: verifier, data, gas: 25_000_000n })
      await waitForTransactionReceipt(client, { hash, pollingInterval: 20 })
    })
    const names = ['root list', 'signer', 'authority', 'its list', 'TCB info', 'identity']
    return { verify: used, collateral: sent.map(({ receipt }, index) => [names[index], receipt.gasUsed]) }
  } finally {
    await devnet.stop()
  }
}

/**
 * Vana, the existing data pool network, for scale. These are not measured here, and the network publishes no gas figures: research
 * notes of November 2026 (shared/reference/vana.md, section 2.1) ran its published contracts with solc 0.8.24 (via IR, runs 1),
 * ERC-1967 proxies, on ganache.
 */
const vana = {
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

/**
 * Every figure that has a goal.
 *
 * @returns {Promise<{ figures: Record<string, number>, world: object }>} gas by name, whole numbers
 */
export async function measureGas() {
  const devnet = await startDevnet()
  try {
    const world = await createWorld(devnet)
    const relayed = await measureContributions(world)
    const life = await measureLife(world)
    // The first batch of a relayer pays for its counter: the second is measured.
    const batch100 = await measureMerkleBatch(world, 100)
    const batch10 = await measureMerkleBatch(world, 10)
    const jobs = await measureJobs(world, 0n)
    const burning = await measureJobs(world, 50n)
    const precompile = await measureTdx('osaka')
    const fallback = await measureTdx('prague')
    return { relayed, life, batch10, batch100, jobs, burning, precompile, fallback }
  } finally {
    await devnet.stop()
  }
}

const sum = (parts) => Object.values(parts).reduce((total, part) => total + Number(part), 0)

/** The figures that CI holds (packages/contracts/gas-snapshot.json), from {@link measureGas}. */
export function figuresOf({ life, batch10, batch100, jobs, burning, precompile, fallback }) {
  const job = ({ lives }, index) => lives[index].reduce((total, { used }) => total + Number(used), 0)
  return {
    contribute: Number(life.newcomer.contribute),
    'life of a contribution, new owner': sum(life.newcomer),
    'life of a contribution, owner of others': sum(life.member),
    'contribute, Merkle batch of 100, each': Math.round(batch10.parts.contribute),
    'life in a Merkle batch, 10 owners of 10, each': Math.round(sum(batch10.parts)),
    'life in a Merkle batch, 100 new owners, each': Math.round(sum(batch100.parts)),
    'collect pool tokens, once for all batches': batch100.collect,
    grant: Number(jobs.grant),
    'redeem a permit': Number(jobs.redemption),
    'job funded, run and settled, the first of a pool': job(jobs, 0),
    'job funded, run and settled, later ones': job(jobs, 2),
    'the same, released and settled in one': job(jobs, 3),
    // The payer's checkpoints of votes lie two in a slot: every second job writes a fresh one. The dearer one counts.
    'job with pool tokens, later ones': Math.max(job(burning, 1), job(burning, 2)),
    'job with pool tokens, released and settled in one': job(burning, 3),
    'burn pool tokens, once for all settled jobs': Number(burning.burned),
    'TDX quote, P-256 precompile': Number(precompile.verify),
    'TDX quote, P-256 in Solidity': Number(fallback.verify),
  }
}

/** Goals, and what the existing network takes for the same (notes as above). */
const besides = {
  contribute: [90_000, 1_028_320],
  'life of a contribution, new owner': [330_000, 2_296_664],
  'contribute, Merkle batch of 100, each': [9_000, 1_028_320],
  'life in a Merkle batch, 10 owners of 10, each': [40_000, 2_296_664],
  'life in a Merkle batch, 100 new owners, each': [40_000, 2_296_664],
  grant: [90_000, 239_460],
  'job funded, run and settled, later ones': [350_000, 725_140],
  'the same, released and settled in one': [350_000, 725_140],
  'job with pool tokens, later ones': [350_000, 725_140],
  'job with pool tokens, released and settled in one': [350_000, 725_140],
  'TDX quote, P-256 precompile': [600_000, null],
}

export async function run({ print }) {
  printMachine(print)
  const measured = await measureGas()
  const fraction = (own, other) => `1 / ${(other / own).toFixed(1)}`
  printTable(print, {
    title: 'Gas against its goals (anvil; whole transactions, calldata included)',
    columns: ['', 'here', 'goal', 'Vana *', 'ratio'],
    rows: Object.entries(figuresOf(measured)).map(([name, used]) => {
      const [goal, other] = besides[name] ?? [null, null]
      return [
        name,
        gas(used),
        goal === null ? '' : `${gas(goal)}${used <= goal ? '' : ' MISSED'}`,
        other === null ? '' : gas(other),
        other === null ? '' : fraction(used, other),
      ]
    }),
    notes: [
      '* Not of this run, and not published by Vana: research notes of November 2026 ran its published contracts',
      '  (solc 0.8.24, ganache): addFileWithPermissions for two; with proof request, proof, reward and refinement;',
      '  addPermission; submitJob, status, payment, claim. The best public TDX verifier states about 4 million.',
    ],
  })
  const { life, batch10, batch100, relayed, jobs, precompile, fallback } = measured
  const parts = (record) => list(Object.entries(record))
  printTable(print, {
    title: 'Parts',
    columns: ['', 'gas'],
    rows: [
      ['alone, new owner', parts(life.newcomer)],
      ['alone, owner of others', parts(life.member)],
      ['Merkle, 10 owners of 10, each', parts(batch10.parts)],
      ['Merkle, 100 new owners, each', parts(batch100.parts)],
      [
        `relayed one by one, ${batch} at once, new owners, each`,
        `contribute ${gas(relayed.contribution)}, verdict ${gas(relayed.verdict)}`,
      ],
      ['collateral, once for all quotes', list(precompile.collateral)],
      ['collateral without the precompile', list(fallback.collateral)],
    ],
  })
  const whole = [...jobs.steps.slice(0, -1), ...jobs.lives[2], ...jobs.steps.slice(-1)]
  printTable(print, {
    title: 'Gas of a job’s life over one pool, paid in protocol tokens that were approved before',
    columns: ['', 'gas', 'who sends'],
    rows: [
      ...whole.map(({ name, who, used }) => [name, gas(used), who]),
      ['all of it', gas(whole.reduce((total, { used }) => total + used, 0n)), null],
    ],
    notes: [
      `Vana *: ${list(vana.job.slice(0, 4))},`,
      `  ${list(vana.job.slice(4))}:`,
      `  ${gas(vana.job.reduce((total, [, used]) => total + used, 0))} together, without a vote.`,
    ],
  })
}
