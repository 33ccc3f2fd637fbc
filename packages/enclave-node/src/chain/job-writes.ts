/**
 * What the node writes about jobs and their charges.
 * @module
 */
import {
  anchorsAbi,
  assignJob,
  ContractsError,
  getJob,
  heartbeatJob,
  invoke,
  refuseJob,
  releaseAndSettleJob,
  releaseJob,
  requeueJob,
  settleJob,
  startJob,
} from '@sealpool/contracts'
import { type Address, digestToHex } from '@sealpool/crypto'
import { zeroHash } from 'viem'
import { getBlock, readContract } from 'viem/actions'
import type { ChainJobState, ChainPort } from './chain-port.js'
import { reasonWord } from './reason-word.js'
import { type ChainWriter, proofOf } from './send-once.js'

/** @returns that part of the chain's port */
export function jobWrites({
  client,
  deployment,
  anchors,
  send,
  once,
  unless,
}: ChainWriter): Pick<
  ChainPort,
  | 'anchorBudget'
  | 'assignJob'
  | 'requeueJob'
  | 'startJob'
  | 'heartbeat'
  | 'releaseJob'
  | 'refuseJob'
  | 'settleJob'
> {
  /** As it stands in the newest block: only to see what need not be sent again. */
  const stateOf = async (id: string): Promise<ChainJobState> =>
    (await getJob(client, { deployment, jobId: BigInt(id) })).state
  const passed = async (id: string, states: readonly ChainJobState[]): Promise<boolean> =>
    states.includes(await stateOf(id))
  const newestBudget = (pool: Address) =>
    anchors === null
      ? Promise.resolve(0)
      : readContract(client, {
          address: anchors,
          abi: anchorsAbi,
          functionName: 'budgetOf',
          args: [pool],
        }).then(({ sequence }) => Number(sequence))

  return {
    anchorBudget: async ({ pool, sequence, head, previous, statement }) => {
      if (anchors === null) return null
      return once(
        () =>
          invoke(client, {
            address: anchors,
            abi: anchorsAbi,
            functionName: 'anchorBudget',
            args: [
              pool,
              BigInt(sequence),
              digestToHex(head),
              previous === null ? zeroHash : digestToHex(previous),
              proofOf(statement),
            ],
          }),
        async () => (await newestBudget(pool)) >= sequence,
      )
    },
    assignJob: (id) =>
      unless(
        () => assignJob(client, { deployment, jobId: BigInt(id) }),
        [
          'DrawTooEarly',
          'TransitionNotAllowed',
          'JobIsSuspended',
          'PoolIsPaused',
          'NotDrawn',
          // The lot is kept, and none of its candidates can run the job now.
          'NodeNotActive',
        ],
      ),
    requeueJob: (id) =>
      unless(
        () => requeueJob(client, { deployment, jobId: BigInt(id) }),
        [
          'NodeNotSilent',
          'TooManyAttempts',
          'TransitionNotAllowed',
          'JobIsSuspended',
          'PoolIsPaused',
          // A pool turns the node away for which the job was drawn: asked before whether that one is silent.
          'NodeNotAccepted',
        ],
      ),
    heartbeat: ({ job, sign }) =>
      send(async () => {
        const { timestamp } = await getBlock(client)
        await heartbeatJob(client, {
          deployment,
          jobId: BigInt(job),
          time: timestamp,
          statement: proofOf(sign(Number(timestamp))),
        })
      }),
    startJob: ({ job, statement }) =>
      once(
        () => startJob(client, { deployment, jobId: BigInt(job), statement: proofOf(statement) }),
        () => passed(job, ['Running', 'Released', 'Settled']),
      ),
    releaseJob: (release) => {
      const outcome = {
        deployment,
        jobId: BigInt(release.job),
        receiptDigest: digestToHex(release.receiptDigest),
        resultDigest: digestToHex(release.resultDigest),
        budgetHeads: release.budgetHeads.map(digestToHex),
        statement: proofOf(release.statement),
      }
      return once(
        async () => {
          try {
            return await releaseAndSettleJob(client, outcome)
          } catch (error) {
            // A pool that does not take its part holds up the settlement, and not the answer. After any other failure it may still be mined.
            if (error instanceof ContractsError && error.revert !== undefined)
              return releaseJob(client, outcome)
            throw error
          }
        },
        () => passed(release.job, ['Released', 'Settled']),
      )
    },
    refuseJob: (refusal) =>
      once(
        () =>
          refuseJob(client, {
            deployment,
            jobId: BigInt(refusal.job),
            reason: reasonWord(refusal.reason),
            receiptDigest: digestToHex(refusal.receiptDigest),
            statement: proofOf(refusal.statement),
          }),
        () => passed(refusal.job, ['Refused', 'Cancelled', 'Expired']),
      ),
    settleJob: (id) =>
      once(
        () => settleJob(client, { deployment, jobId: BigInt(id) }),
        () => passed(id, ['Settled']),
      ),
  }
}
