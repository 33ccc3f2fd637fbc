/**
 * Runs a job for another node: checks the leash against the chain, plans the manifest anew, runs that one plan on the files that
 * were given, and seals the answer to the home node.
 * @module
 */
import { ComputeError, type JobManifest, manifestDigest, parseJobManifest } from '@sealpool/compute'
import { ContractsError } from '@sealpool/contracts'
import {
  type Address,
  CryptoError,
  type Digest,
  decodeBase64Url,
  digestOf,
  encodeBase64Url,
  sha256Digest,
} from '@sealpool/crypto'
import { PrivacyError, parsePoolPolicy } from '@sealpool/privacy'
import { shareOfPlan } from '@sealpool/query'
import type { ChainPort } from '../chain/chain-port.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { noiseStream } from '../job/job-noise.js'
import { JobRefusal } from '../job/job-refusal.js'
import { requirePurpose } from '../job/load-manifest.js'
import { planJob } from '../job/plan-job.js'
import type { PlannedJob } from '../job/planned-job.js'
import { onEngine, readTables, runOnEngine, tableLoad } from '../job/run-on-engine.js'
import { admitConsumer } from '../policy/admit-consumer.js'
import {
  addedAccess,
  narrowPolicy,
  type PolicyRestriction,
  policyRestrictionSchema,
} from '../policy/restriction.js'
import { encodeAnswer, type HandOffOutcome } from './hand-off-answer.js'
import { HandOffRefusal } from './hand-off-refusal.js'
import { signWork } from './hand-off-statements.js'
import type { HeldShards } from './held-shards.js'
import { type Leash, parseLeash, type TransferFile } from './leash.js'
import { openParcel, sealParcel } from './sealed-parcel.js'
import { shardText } from './shard.js'
import type { TransferFiles } from './transfer-files.js'

/** What running for others needs. */
export interface HandedJobContext
  extends Pick<JobContext, 'keys' | 'sign' | 'evidence' | 'isolation' | 'openEngine' | 'random' | 'trace'> {
  readonly chain: Pick<ChainPort, 'access' | 'chainId' | 'head' | 'jobState' | 'jobTerms' | 'pool' | 'node'>
  readonly files: TransferFiles
  readonly heldShards: HeldShards
}

/** A transfer whose files are all there. */
export interface WholeTransfer {
  readonly id: string
  readonly home: Address
  readonly job: string
  readonly manifest: Digest
  /** The job's first pool. */
  readonly pool: Address
  /** Of the key that was made for this transfer. */
  readonly privateKey: Uint8Array
  /** File 0 is the sealed leash. */
  readonly files: readonly TransferFile[]
}

/** A job that was checked and may be run until its end. */
export interface CheckedJob {
  readonly leash: Leash
  readonly planned: PlannedJob<PlannablePool>
}

/**
 * Opens the leash and checks it, before any table is opened.
 * @throws HandOffRefusal
 */
export async function checkHandedJob(
  context: HandedJobContext,
  transfer: WholeTransfer,
): Promise<CheckedJob> {
  const { chain } = context
  const leash = await openLeash(context, transfer)
  if (leash.transfer !== transfer.id || leash.job !== transfer.job || leash.home !== transfer.home) {
    throw new HandOffRefusal('LEASH_OTHER_JOB')
  }
  const manifest = readManifest(leash.manifest)
  const terms = await chain.jobTerms(leash.job)
  const named = manifest.pools.map(({ address }) => address)
  const approved =
    manifestDigest(manifest) === terms.manifestDigest &&
    manifest.consumer.address === terms.consumer &&
    named.join() === terms.pools.join() &&
    leash.pools.map(({ address }) => address).join() === named.join()
  if (!approved) throw new HandOffRefusal('MANIFEST_NOT_APPROVED')
  const { handOff } = manifest
  const self = await chain.node(context.keys.statementAddress)
  if (
    handOff === undefined ||
    self === null ||
    !self.active ||
    !handOff.measurements.includes(self.measurement)
  ) {
    throw new HandOffRefusal('MEASUREMENT_NOT_NAMED')
  }
  if (leash.shard?.of !== handOff.shards) throw new HandOffRefusal('SHARD_DIFFERS')
  if (leash.expiresAt > handOff.expiresAt) throw new HandOffRefusal('LEASH_OTHER_JOB')
  if ((await chain.head()).timestamp >= leash.expiresAt) throw new HandOffRefusal('LEASH_EXPIRED')
  const standing = await chain.jobState(leash.job)
  if (standing.state !== 'Running' || standing.node !== transfer.home || standing.suspended) {
    throw new HandOffRefusal('LEASH_OTHER_JOB')
  }
  const pools = await Promise.all(leash.pools.map((pool, index) => givenPool(chain, pool, manifest, index)))
  const planned = await planAgain(manifest, pools)
  if (planned.planDigest !== leash.plan) throw new HandOffRefusal('PLAN_DIFFERS')
  await requireAccess(context, manifest, planned)
  await requireFiles(context, transfer, leash, planned)
  // Last of all: what is refused for something else was not given.
  if (leash.shard !== undefined && !context.heldShards.take(transfer, leash.shard)) {
    throw new HandOffRefusal('SHARD_HELD')
  }
  return { leash, planned }
}

/**
 * Runs a checked job; the files are of no use afterwards.
 * @returns the sealed answer, and this node's signed word on it
 */
export async function runHandedJob(
  context: HandedJobContext,
  transfer: WholeTransfer,
  { leash, planned }: CheckedJob,
) {
  const key = decodeBase64Url(leash.tableKey)
  const tables = readTables(planned).map((table) => {
    const files = leash.tables.find(({ name }) => name === table.name)?.files ?? []
    return tableLoad(table, { paths: files.map((file) => context.files.path(transfer.id, file)), key })
  })
  const run = { openEngine: context.openEngine, tables, pseudonymKey: decodeBase64Url(leash.pseudonyms) }
  const outcome = await outcomeOf(run, { leash, planned }).catch((error: unknown): HandOffOutcome => {
    if (!(error instanceof JobRefusal)) throw error
    const few = error.code === 'TOO_FEW_CONTRIBUTORS_AFTER_NOISE'
    return { kind: few ? 'too-few-contributors' : 'failed' }
  })
  // Before it signs for what it did: nothing of the job opens here any more.
  key.fill(0)
  await context.files.remove(transfer.id)
  const salt = encodeBase64Url(context.random(32))
  const bytes = encodeAnswer({ transfer: transfer.id, job: transfer.job, salt, outcome })
  const { policyDigest } = planned.charges.find(({ pool }) => pool.address === transfer.pool)?.pool ?? {
    policyDigest: (await context.chain.pool(transfer.pool)).policyDigest,
  }
  const sealed = await sealParcel(bytes, {
    kind: 'answer',
    publicKey: decodeBase64Url(leash.answerKey),
    scope: { chainId: context.chain.chainId, pool: transfer.pool, policyDigest, epoch: 0 },
    random: context.random,
  })
  const digest = sha256Digest(bytes)
  bytes.fill(0)
  const work = signWork(context.sign, transfer, {
    transfer: transfer.id,
    job: transfer.job,
    home: transfer.home,
    manifest: transfer.manifest,
    plan: planned.planDigest,
    parts: partsDigest(transfer.files.slice(1)),
    answer: digest,
    sealed: sha256Digest(sealed),
    keySet: context.keys.keySetDigest,
    quote: context.evidence.quoteDigest,
    isolation: context.isolation,
    simulated: context.evidence.simulated,
    ...(leash.shard === undefined ? {} : { shard: shardText(leash.shard) }),
    issuedAt: new Date((await context.chain.head()).timestamp * 1000).toISOString(),
  })
  return { sealed, work }
}

/** Whoever has the seed of the noise runs the job; whoever has a shard counts its rows, and nothing more. */
async function outcomeOf(
  run: Pick<Parameters<typeof runOnEngine>[0], 'openEngine' | 'tables' | 'pseudonymKey'>,
  { leash, planned }: CheckedJob,
): Promise<HandOffOutcome> {
  const { noise } = leash
  if (noise !== undefined) {
    const answer = await runOnEngine({ ...run, planned, noise: noiseStream(decodeBase64Url(noise)) })
    return { kind: 'answer', answer }
  }
  const { query } = planned
  // A manifest with shards is a query's.
  if (query === undefined) throw JobRefusal.of('EXECUTION_FAILED')
  return { kind: 'share', share: await onEngine(run, (engine) => shareOfPlan({ plan: query, engine })) }
}

/** @returns digest of the list of files that a job was run on, the leash not among them */
export function partsDigest(files: readonly TransferFile[]): Digest {
  return digestOf(files)
}

async function openLeash(context: HandedJobContext, transfer: WholeTransfer): Promise<Leash> {
  const [first] = transfer.files
  if (first === undefined) throw new HandOffRefusal('LEASH_INVALID')
  const sealed = await context.files.read(transfer.id, 0, 0, first.bytes)
  if (sha256Digest(sealed) !== first.digest) throw new HandOffRefusal('PARTS_DIFFER')
  const bytes = await openParcel(sealed, {
    kind: 'leash',
    privateKey: transfer.privateKey,
    scope: { chainId: context.chain.chainId, pool: transfer.pool },
  })
  // It is made for this one parcel.
  transfer.privateKey.fill(0)
  if (bytes === undefined) throw new HandOffRefusal('LEASH_INVALID')
  try {
    return parseLeash(bytes)
  } finally {
    bytes.fill(0)
  }
}

function readManifest(json: unknown): JobManifest {
  try {
    return parseJobManifest(json)
  } catch (cause) {
    if (cause instanceof ComputeError) throw new HandOffRefusal('MANIFEST_NOT_APPROVED', cause)
    throw cause
  }
}

/** A pool as the home node gives it, believed for what the chain shows of it. */
async function givenPool(
  chain: Pick<ChainPort, 'pool'>,
  given: Leash['pools'][number],
  manifest: JobManifest,
  index: number,
): Promise<PlannablePool> {
  const differs = (cause?: unknown) => new HandOffRefusal('POLICY_DIFFERS', cause)
  const address = given.address as Address
  const shown = await chain.pool(address)
  const same =
    digestOf(given.policy) === shown.policyDigest &&
    given.restrictions.map((one) => digestOf(one)).join() === shown.restrictions.join()
  if (!same) throw differs()
  try {
    let policy = parsePoolPolicy(given.policy)
    const restrictions: PolicyRestriction[] = []
    if (policy.name !== manifest.pools[index]?.name) throw differs()
    for (const one of given.restrictions) {
      const restriction = policyRestrictionSchema.safeParse(one)
      const narrowed = restriction.success ? narrowPolicy(policy, restriction.data) : null
      if (!restriction.success || narrowed === null) throw differs()
      restrictions.push(restriction.data)
      policy = narrowed
    }
    const accessAdded = addedAccess(restrictions)
    return { address, name: policy.name, policy, policyDigest: shown.policyDigest, accessAdded }
  } catch (cause) {
    if (cause instanceof PrivacyError || cause instanceof CryptoError) throw differs(cause)
    throw cause
  }
}

async function planAgain(
  manifest: JobManifest,
  pools: readonly PlannablePool[],
): Promise<PlannedJob<PlannablePool>> {
  try {
    requirePurpose(pools, manifest)
    return await planJob(manifest, pools)
  } catch (cause) {
    if (cause instanceof JobRefusal) throw new HandOffRefusal('PLAN_DIFFERS', cause)
    throw cause
  }
}

/** The home node has judged it; this node believes the chain alone. */
async function requireAccess(
  context: HandedJobContext,
  manifest: JobManifest,
  planned: PlannedJob<PlannablePool>,
): Promise<void> {
  try {
    await admitConsumer(context, { manifest, planned })
  } catch (cause) {
    if (cause instanceof JobRefusal || (cause instanceof ContractsError && cause.code === 'ARGUMENT_INVALID'))
      throw new HandOffRefusal('ACCESS_NOT_MET', cause)
    throw cause
  }
}

/** Every file is there, as the leash names it, and belongs to exactly one table that the plan reads. */
async function requireFiles(
  context: HandedJobContext,
  transfer: WholeTransfer,
  leash: Leash,
  planned: PlannedJob<PlannablePool>,
): Promise<void> {
  const read = readTables(planned).map(({ name }) => name)
  const used = leash.tables.flatMap(({ files }) => files).sort((one, other) => one - other)
  const fits =
    leash.tables.map(({ name }) => name).join('\n') === read.join('\n') &&
    used.length === leash.files.length &&
    used.every((file, index) => file === index + 1)
  if (!fits) throw new HandOffRefusal('TABLES_DIFFER')
  const announced = transfer.files.slice(1)
  if (partsDigest(announced) !== partsDigest(leash.files)) throw new HandOffRefusal('PARTS_DIFFER')
  for (const [index, file] of leash.files.entries()) {
    const { bytes, digest } = await context.files.measure(transfer.id, index + 1)
    if (bytes !== file.bytes || digest !== file.digest) throw new HandOffRefusal('PARTS_DIFFER')
  }
}
