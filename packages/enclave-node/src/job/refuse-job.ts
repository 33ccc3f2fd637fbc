/**
 * Turns a refusal into a signed receipt, and stores it with what the chain must be told.
 * @module
 */
import type { ReceiptPool } from '@sealpool/attest'
import { refusalContext } from '@sealpool/contracts'
import { type Address, type Digest, digestToHex, type JsonValue } from '@sealpool/crypto'
import type { JobRefusal as ChainRefusal } from '../chain/chain-port.js'
import { reasonWord } from '../chain/reason-word.js'
import { chargedHomes } from '../federation/charged-homes.js'
import { keepRefusedBy } from '../federation/kept-refusal.js'
import { keepGivenShares } from '../federation/kept-share.js'
import { dealtShards } from '../hand-off/kept-hand-off.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { withAccess } from '../policy/admit-consumer.js'
import { jobInputs, type PoolInputs, reservedInputs, verdictsByPool } from '../release/job-inputs.js'
import { type PoolFacts, type SignedReceipt, signReceipt } from '../release/receipt.js'
import { grantsOf, type JobRow, storeOutcome } from '../state/job-table.js'
import { bookedCharge } from '../state/pglite-ledger.js'
import { destroyJobKeys } from './destroy-job-keys.js'
import type { JobContext } from './job-context.js'
import type { JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/** How far a job had come when it was refused. */
export interface RefusedJob {
  readonly refusal: JobRefusal
  readonly kind: 'query' | 'compute'
  readonly manifest: JsonValue | null
  readonly planned: PlannedJob | null
}

/**
 * Refuses a job that stands on the chain; the caller holds its lock. One that is not paid yet is only refused for now: it gets its receipt and
 * waits on; a paid one is refunded on the chain.
 * @returns the receipt
 * @throws NodeError `JOB_MOVED` when it was decided meanwhile
 */
export async function refuseJob(
  context: JobContext,
  job: JobRow,
  refused: RefusedJob,
  paid: boolean,
): Promise<SignedReceipt> {
  const pools = job.pools.flatMap((address) => context.pools.get(address) ?? [])
  const { planned } = refused
  const refusal = refused.refusal.shownOver(pools.map(({ address }) => address))
  const { reservation } = job
  const inputs = await (reservation === null
    ? jobInputs(context.store, pools, context.live?.of(job.id))
    : reservedInputs(context.store, reservation))
  const issuedAt = (await context.chain.head()).timestamp
  const epochs = await keyEpochs(context, pools)
  const approvals = await grantsOf(context.store, job)
  const plan = planned?.planDigest ?? reservation?.planDigest ?? null
  const shards = await dealtShards(context.store, job.id)
  const destroyedKeys = await destroyJobKeys(context, job.id)
  return context.store.transaction(async (tx) => {
    // Before this node's own charge no other home has charged.
    const { keySetDigest: keySet } = context.keys
    const others =
      reservation === null || plan === null ? undefined : await chargedHomes(tx, job, { plan, keySet })
    const booked = await Promise.all(
      pools.map(({ address }) =>
        reservation === null ? undefined : bookedCharge(tx, address, reservation.charge),
      ),
    )
    const signed = signReceipt(context, {
      job: job.id,
      kind: refused.kind,
      manifest: job.manifestDigest,
      consumer: job.consumer,
      refusal: { code: refusal.code, message: refusal.text },
      ...(refusal.home === undefined ? {} : { refusedBy: refusal.home }),
      pools: job.pools.flatMap((address): (PoolFacts | ReceiptPool)[] => {
        const index = pools.findIndex((one) => one.address === address)
        const pool = pools[index]
        if (pool === undefined) return [others?.pools.get(address) ?? []].flat()
        const met = planned?.charges.find((charge) => charge.pool.address === address)?.pool.access
        return [
          {
            pool: met === undefined ? withAccess(pool, refusal.access) : { ...pool, access: met },
            epoch: epochs.get(address) ?? 0,
            inputs: inputsOf(inputs, address),
            booked: booked[index] ?? null,
          },
        ]
      }),
      ...(others === undefined
        ? {}
        : {
            homes: others.homes,
            unanswered: job.pools.filter(
              (address) => !context.pools.has(address) && !others.pools.has(address),
            ),
          }),
      code: planned?.code ?? null,
      plan,
      approvals,
      result: null,
      ...(shards.length === 0 ? {} : { shards }),
      destroyedKeys,
      issuedAt,
    })
    await keepGivenShares(tx, job.id, others?.statements ?? [])
    await keepRefusedBy(tx, job.id, refusal.home?.statement)
    await storeOutcome(tx, job.id, {
      state: paid ? 'refusing' : 'seen',
      manifest: refused.manifest,
      plan: planned?.plan ?? job.plan,
      receipt: signed.receipt,
      receiptDigest: signed.digest,
      resultDigest: null,
      sealedResult: null,
      inputs: { ...verdictsByPool(inputs), ...others?.verdicts },
      release: paid
        ? (chainRefusal(context, job, refusal.code, signed.digest) as unknown as JsonValue)
        : null,
      why: { reason: refusal.code, reasonText: refusal.text },
    })
    return signed
  })
}

function chainRefusal(context: JobContext, job: JobRow, reason: string, receiptDigest: Digest): ChainRefusal {
  const statement = context.sign({
    type: 'sealpool/refusal',
    body: { job: job.id, reason, receipt: receiptDigest },
    ...refusalContext({
      deployment: context.sign.deployment,
      nonce: 0n,
      jobId: BigInt(job.id),
      pools: job.pools,
      manifestDigest: digestToHex(job.manifestDigest),
      receiptDigest: digestToHex(receiptDigest),
      reason: reasonWord(reason),
    }),
  })
  return { kind: 'refusal', job: job.id, reason, receiptDigest, statement }
}

/** The key epoch of each pool as the chain has it; 0 before the first. */
export async function keyEpochs(
  context: Pick<JobContext, 'chain'>,
  pools: readonly ServedPool[],
): Promise<ReadonlyMap<Address, number>> {
  const epochs = await Promise.all(
    pools.map(
      async ({ address }) => [address, (await context.chain.pool(address)).keyEpoch?.epoch ?? 0] as const,
    ),
  )
  return new Map(epochs)
}

/** The inputs of one pool. */
export function inputsOf(inputs: readonly PoolInputs[], pool: Address): PoolInputs {
  const found = inputs.find((one) => one.pool === pool)
  if (found === undefined) throw new RangeError('inputs were not gathered for this pool')
  return found
}
