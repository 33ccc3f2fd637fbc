import type { ProvenanceRecords } from '@sealpool/attest/provenance'
import type { JsonObject } from '@sealpool/crypto'
import type { Client } from 'viem'
import { getBlock } from 'viem/actions'
import { chainRead } from '../contribute/chain-read.js'
import { ClientError } from '../errors.js'
import type { NodeApi } from '../node-api/node-api.js'
import { untilAborted } from '../until-aborted.js'
import { jobWorkSchema, type LineageRefinement, lineagePageSchema } from './lineage-page.js'

/** What reading a job's lineage takes. */
export interface ReadLineageOptions {
  /** The node that ran the job: `client.node`, or `nodeApi` of another one. */
  readonly node: Pick<NodeApi, 'ask' | 'jobReceipt' | 'jobShares'>
  /** A viem client on the job's chain: tells when blocks were. Nothing is verified by these times. */
  readonly chain: Client
  /** Number of the job on the job board. */
  readonly jobId: bigint
  /** Stops between two questions, with its own reason. */
  readonly signal?: AbortSignal
}

/** What `walkBack` of `@sealpool/attest/provenance` walks along. */
export interface JobLineage {
  /** As the node says of itself. */
  readonly simulated: boolean
  /** The job's receipt as JSON: verify it by itself (`verifyReceipt`). */
  readonly receipt: JsonObject
  /** Contributions, verdicts by their digests, refinements, and what other nodes have signed that ran the job or a part of it. */
  readonly records: ProvenanceRecords
}

/** More than any job reads: what a node says beyond is no answer. */
const most = { contributions: 1_000_000, refinements: 100_000 } as const
/** Questions to the chain at a time. */
const blocksAtOnce = 8

/**
 * Collects from a node what a job's answer was made of, for `walkBack`. Nothing of it is believed: each record is held there against the
 * receipt by its digest, and what is missing is a gap.
 *
 * Gaps there are where contributions of the job were erased since, for pools of other homes (ask these), for live pools (whose rows no
 * refinement holds), and where a release before this one has refined.
 *
 * @param options - the node, the chain, the job
 * @returns the receipt, and the records of each pool in the order of its inputs
 * @throws ClientError `NODE_REFUSED` (`nodeCode` `JOB_UNKNOWN`, `RECEIPT_NOT_READY`, `LINEAGE_UNKNOWN`), `NODE_UNREACHABLE`,
 *   `NODE_ANSWER_INVALID`, `CHAIN_READ_FAILED`; the signal's reason
 */
export async function readLineage(options: ReadLineageOptions): Promise<JobLineage> {
  const { node, chain, signal } = options
  const id = String(options.jobId)
  const ask = <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    signal?.throwIfAborted()
    return untilAborted(work(), signal)
  }
  const { simulated, receipt } = await ask(() => node.jobReceipt(id))
  const refinements = await readRefinements(id, (path) => ask(() => node.ask(lineagePageSchema, path)))
  const { work, works } = await ask(() => readWork(node, id))
  const shares = await ask(() => node.jobShares(id))
  const timeOf = await blockTimes(refinements, (number) => ask(() => timeOfBlock(chain, number)))
  return {
    simulated,
    receipt,
    records: { ...recordsOf(refinements, timeOf), parents: [...(work === null ? works : [work]), ...shares] },
  }
}

async function readRefinements(
  id: string,
  ask: (path: string) => Promise<ReturnType<(typeof lineagePageSchema)['parse']>>,
): Promise<readonly LineageRefinement[]> {
  const place = 'GET /jobs/lineage'
  const all: LineageRefinement[] = []
  let held = 0
  for (let from = '1'; ; ) {
    const { job, refinements, next } = await ask(`/jobs/${id}/lineage?from=${from}`)
    if (job !== id) throw new ClientError('NODE_ANSWER_INVALID', place, 'the answer is about another job')
    held += refinements.reduce((sum, { contributions }) => sum + contributions.length, 0)
    all.push(...refinements)
    if (all.length > most.refinements || held > most.contributions)
      throw new ClientError(
        'NODE_ANSWER_INVALID',
        place,
        'the job is said to have read more than any job does',
      )
    if (next === null) return all
    // Whatever it says, it comes to an end.
    if (Number(next) <= Number(from))
      throw new ClientError('NODE_ANSWER_INVALID', place, 'the next page is none that comes next')
    from = next
  }
}

async function readWork(
  node: Pick<NodeApi, 'ask'>,
  id: string,
): Promise<ReturnType<(typeof jobWorkSchema)['parse']>> {
  try {
    return await node.ask(jobWorkSchema, `/jobs/${id}/work`)
  } catch (error) {
    if (error instanceof ClientError && error.nodeCode === 'WORK_UNKNOWN') return { work: null, works: [] }
    throw error
  }
}

async function timeOfBlock(chain: Client, number: string): Promise<string> {
  const { timestamp } = await chainRead('block', () => getBlock(chain, { blockNumber: BigInt(number) }))
  return new Date(Number(timestamp) * 1_000).toISOString()
}

/** @returns the time of each block that is named */
async function blockTimes(
  refinements: readonly LineageRefinement[],
  ask: (number: string) => Promise<string>,
): Promise<(number: string) => string> {
  const numbers = new Set(
    refinements.flatMap((refinement) => [
      blockOf(refinement),
      ...refinement.contributions.flatMap(({ block, judgedBlock }) => [block, judgedBlock ?? block]),
    ]),
  )
  const waiting = [...numbers].filter((number) => number !== undefined)
  const times = new Map<string, string>()
  await Promise.all(
    Array.from({ length: blocksAtOnce }, async () => {
      for (let number = waiting.pop(); number !== undefined; number = waiting.pop())
        times.set(number, await ask(number))
    }),
  )
  return (number) => {
    const time = times.get(number)
    if (time === undefined) throw new RangeError(`block ${number} was asked for`)
    return time
  }
}

/** When a refinement was made: when it stood on the chain; where it does not yet, when the last of its contributions did. */
function blockOf({ block, contributions }: LineageRefinement): string | undefined {
  return block ?? contributions.map((one) => one.block).sort((a, b) => Number(b) - Number(a))[0]
}

function recordsOf(
  refinements: readonly LineageRefinement[],
  timeOf: (block: string) => string,
): Omit<ProvenanceRecords, 'parents'> {
  const byPool = new Map<string, LineageRefinement['contributions']>()
  for (const { pool, contributions } of refinements) {
    const address = pool.toLowerCase()
    const known = byPool.get(address) ?? []
    byPool.set(address, known)
    for (const one of contributions) known.push(one)
  }
  const pools = [...byPool].map(
    ([pool, contributions]) =>
      [
        pool,
        contributions.sort((a, b) => (BigInt(a.contribution) < BigInt(b.contribution) ? -1 : 1)),
      ] as const,
  )
  return {
    contributions: Object.fromEntries(
      pools.map(([pool, all]) => [
        pool,
        all.map(({ contribution, blob, commitment, block }) => ({
          contribution,
          blob,
          commitment,
          at: timeOf(block),
        })),
      ]),
    ),
    verdicts: Object.fromEntries(
      pools.map(([pool, all]) => [
        pool,
        all.map(({ verdict, block, judgedBlock }) => ({ verdict, at: timeOf(judgedBlock ?? block) })),
      ]),
    ),
    refinements: refinements.flatMap((refinement) => {
      const { statement, contributions } = refinement
      const block = blockOf(refinement)
      if (statement === null || block === undefined) return []
      return [
        {
          statement,
          contributions: contributions.map(({ contribution }) => contribution),
          at: timeOf(block),
        },
      ]
    }),
  }
}
