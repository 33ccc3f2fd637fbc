/**
 * The chain through the contracts' actions.
 * @module
 */
import {
  anchorsAbi,
  assignJob,
  ContractsError,
  contributionBatchesAbi,
  type Deployment,
  dataRegistryAbi,
  getContribution,
  getJob,
  heartbeatJob,
  invoke,
  isNodeActive,
  jobBoardAbi,
  jobStates,
  payBatchVerdicts,
  publishPoolKey,
  recordRefinement,
  recordVerdictRoot,
  recordVerdicts,
  refuseJob,
  releaseJob,
  requeueJob,
  type Sent,
  type StatementProof,
  settleJob,
  startJob,
  verdictTree,
} from '@sealpool/contracts'
import {
  type Address,
  digestToHex,
  type Hex,
  hexToDigest,
  type SignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import {
  BlockNotFoundError,
  type Client,
  ContractFunctionExecutionError,
  ContractFunctionZeroDataError,
  createPublicClient,
  createWalletClient,
  http,
  zeroAddress,
  zeroHash,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, getChainId, getCode, readContract } from 'viem/actions'
import { NodeError } from '../errors.js'
import type { SentTransaction } from '../state/withdrawal.js'
import { readContributions, readJobEvents, readWithdrawals } from './chain-events.js'
import type { ChainJobState, ChainPort } from './chain-port.js'
import { chainSource } from './chain-source.js'
import { inOrder } from './in-order.js'
import { readPool } from './read-pool.js'
import { reasonWord } from './reason-word.js'

/** How to reach the chain. */
export interface ContractsChainOptions {
  readonly rpcUrl: string
  /** A second endpoint, run by somebody else; null: the first is believed. */
  readonly crossCheckRpcUrl: string | null
  readonly deployment: Deployment
  /** The contract that anchors budget heads; null: nothing is anchored. */
  readonly anchors: Address | null
  /** Oldest head that is believed, in seconds; null: any. */
  readonly maximumAgeSeconds: number | null
  readonly maximumLagBlocks: number
  /** Milliseconds that one call of an endpoint may take. */
  readonly timeoutMs: number
  /** Unix seconds: only to tell a head that is too old. */
  readonly now: () => number
  readonly confirmations: number
  readonly pollMs: number
  /** Key of the account that pays for transactions. */
  readonly transactionKey: Hex
}

/**
 * Opens the chain.
 * @throws NodeError `CHAIN_MISMATCH` when the endpoint is of another chain, `CHAIN_CALL_FAILED` when it does not answer
 */
export async function openContractsChain(options: ContractsChainOptions): Promise<ChainPort> {
  const { deployment, anchors } = options
  const transport = (url: string) =>
    http(url, { timeout: options.timeoutMs, retryCount: 2, fetchFn: fetchWhole(options.timeoutMs) })
  const client = createWalletClient({
    account: privateKeyToAccount(options.transactionKey),
    transport: transport(options.rpcUrl),
    pollingInterval: Math.min(options.pollMs, 1_000),
  })
  const second =
    options.crossCheckRpcUrl === null
      ? null
      : createPublicClient({ transport: transport(options.crossCheckRpcUrl) })
  const send = inOrder()
  await requireChain(client, 'chain.rpcUrl', deployment.chainId)
  if (second !== null) await requireChain(second, 'chain.crossCheckRpcUrl', deployment.chainId)
  const source = chainSource({
    client,
    second,
    chainId: deployment.chainId,
    confirmations: options.confirmations,
    maximumAgeSeconds: options.maximumAgeSeconds,
    maximumLagBlocks: options.maximumLagBlocks,
    now: options.now,
  })

  /** Sends in order of nonces; null when one of `done` says that it stands there already. */
  const once = (
    write: () => Promise<Sent>,
    stands: () => Promise<boolean>,
  ): Promise<SentTransaction | null> =>
    send(async () => {
      if (await stands()) return null
      try {
        const { hash, receipt } = await write()
        return { hash, block: receipt.blockNumber }
      } catch (error) {
        // Sent before a stop and mined since, or recorded by another node of the group.
        const already =
          error instanceof ContractsError &&
          (error.revert?.name === 'StatementUsed' || (error.revert !== undefined && (await stands())))
        if (already) return null
        throw error
      }
    })
  /** Sends what anybody may send. @returns false when the chain does not take it now, by one of the named errors */
  const unless = (write: () => Promise<Sent>, errors: readonly string[]): Promise<boolean> =>
    send(async () => {
      try {
        await write()
        return true
      } catch (error) {
        if (error instanceof ContractsError && errors.includes(error.revert?.name ?? '')) return false
        throw error
      }
    })
  /** As it stands in the newest block: only to see what need not be sent again. */
  const stateOf = async (id: string): Promise<ChainJobState> =>
    (await getJob(client, { deployment, jobId: BigInt(id) })).state
  const passed = async (id: string, states: readonly ChainJobState[]): Promise<boolean> =>
    states.includes(await stateOf(id))
  const batches = { address: deployment.contributionBatches, abi: contributionBatchesAbi } as const
  const newestBudget = (pool: Address) =>
    anchors === null
      ? Promise.resolve(0)
      : readContract(client, {
          address: anchors,
          abi: anchorsAbi,
          functionName: 'budgetOf',
          args: [pool],
        }).then(({ sequence }) => Number(sequence))

  /** A batch is recorded whole or not at all; every entry is asked, because one may have been withdrawn since. */
  const standsWhole = async (ids: readonly string[]): Promise<boolean> => {
    for (const id of ids) {
      const { state } = await getContribution(client, { deployment, id: BigInt(id) }).catch(
        (error: unknown) => {
          if (error instanceof ContractsError && error.code === 'NOT_FOUND') return { state: 'Offered' }
          throw error
        },
      )
      if (state === 'Offered') return false
      if (state === 'Accepted' || state === 'Refused') return true
    }
    return true
  }

  return {
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
    anchors: anchors !== null,
    head: () => source.head(),
    blockHash: (number) =>
      source.same(async (one) => {
        try {
          return (await getBlock(one, { blockNumber: number })).hash
        } catch (error) {
          if (error instanceof BlockNotFoundError) return undefined
          throw error
        }
      }),
    contributions: (from, to) => source.same((one) => readContributions(one, deployment, from, to)),
    withdrawals: (from, to) => source.same((one) => readWithdrawals(one, deployment, from, to)),
    jobEvents: (from, to) => source.same((one) => readJobEvents(one, deployment, from, to)),
    jobState: (id) =>
      source.confirmed(async (one, blockNumber) => {
        const job = await readContract(one, {
          address: deployment.jobBoard,
          abi: jobBoardAbi,
          functionName: 'getJob',
          args: [BigInt(id)],
          blockNumber,
        })
        const state = jobStates[job.state]
        if (state === undefined || state === 'None') {
          throw new NodeError(
            'CHAIN_CALL_FAILED',
            `job ${id}`,
            'the endpoint does not know a job whose proposal it has shown; wait until it is itself again',
          )
        }
        return {
          state,
          suspended: job.suspensions > 0,
          node: job.node === zeroAddress ? null : lower(job.node),
          drawn: job.class !== 0,
        }
      }),
    pool: (address) =>
      source.newest((one, blockNumber) => readPool(one, { address, deployment, blockNumber })),
    isNodeActive: (statementKey) => source.newest((one) => isNodeActive(one, { deployment, statementKey })),
    anchoredHead: async (pool) => {
      if (anchors === null) return null
      const read = (one: Client, blockNumber: bigint) =>
        readContract(one, {
          address: anchors,
          abi: anchorsAbi,
          functionName: 'budgetOf',
          args: [pool],
          blockNumber,
        })
      const { sequence, value } = await source.confirmed(async (one, blockNumber) => {
        try {
          return await read(one, blockNumber)
        } catch (error) {
          // Deployed after the block that is believed: nothing was anchored by then.
          const absent =
            error instanceof ContractFunctionExecutionError &&
            error.cause instanceof ContractFunctionZeroDataError
          if (absent && (await getCode(one, { address: anchors })) !== undefined) return nothingAnchored
          throw error
        }
      })
      return sequence === 0n ? null : { sequence: Number(sequence), head: hexToDigest(value) }
    },
    publishPoolKey: (key) =>
      once(
        () =>
          publishPoolKey(client, {
            pool: key.pool,
            epoch: key.epoch,
            policyDigest: digestToHex(key.policyDigest),
            keyDigest: digestToHex(key.keyDigest),
            statement: proofOf(key.statement),
          }),
        async () =>
          ((await readPool(client, { address: key.pool, deployment })).keyEpoch?.epoch ?? 0) >= key.epoch,
      ),
    recordVerdicts: (batch) =>
      once(
        async () => {
          try {
            return await recordVerdicts(client, {
              deployment,
              pool: batch.pool,
              entries: batch.entries.map((entry) => ({
                contributionId: BigInt(entry.contributionId),
                score: entry.score,
                refused: entry.refused,
                verdictDigest: digestToHex(entry.verdictDigest),
              })),
              statement: proofOf(batch.statement),
            })
          } catch (error) {
            const gone =
              error instanceof ContractsError &&
              ['VerdictAlreadyRecorded', 'ContributionUnknown', 'ContributionOfOtherPool'].includes(
                error.revert?.name ?? '',
              )
            if (!gone || (await standsWhole(batch.entries.map(({ contributionId }) => contributionId))))
              throw error
            throw new NodeError(
              'ENTRIES_GONE',
              `verdict batch ${batch.id}`,
              'contributions in it were withdrawn or are not there any more; the others are sent in another batch',
              { cause: error },
            )
          }
        },
        () => standsWhole(batch.entries.map(({ contributionId }) => contributionId)),
      ),
    recordVerdictRoot: ({ batch, root, verdicts, statement }) =>
      once(
        () =>
          recordVerdictRoot(client, {
            deployment,
            batchId: BigInt(batch),
            root,
            accepted: verdicts.length,
            statement: proofOf(statement),
          }),
        async () => {
          const stored = await readContract(client, {
            ...batches,
            functionName: 'getBatch',
            args: [BigInt(batch)],
          })
          if (stored.verdictRoot === zeroHash) return false
          if (stored.verdictRoot === root) return true
          throw new NodeError(
            'CHAIN_MISMATCH',
            `batch ${batch}`,
            'the chain has other verdicts on it than this node',
          )
        },
      ),
    payVerdicts: ({ batch, verdicts }) =>
      send(async () => {
        const batchId = BigInt(batch)
        const tree = verdicts.length === 0 ? undefined : verdictTree(batchId, verdicts)
        const open: { readonly verdict: (typeof verdicts)[number]; readonly proof: Hex[] }[] = []
        for (const [leaf, verdict] of verdicts.entries()) {
          const args = [batchId, BigInt(verdict.index)] as const
          const [paid, withdrawn] = await Promise.all([
            readContract(client, { ...batches, functionName: 'isPaid', args }),
            readContract(client, { ...batches, functionName: 'isWithdrawn', args }),
          ])
          if (!paid && !withdrawn && tree !== undefined) open.push({ verdict, proof: tree.proof(leaf) })
        }
        for (let first = 0; first < open.length; first += entriesPerPayment) {
          const part = open.slice(first, first + entriesPerPayment)
          await payBatchVerdicts(client, {
            deployment,
            batchId,
            verdicts: part.map(({ verdict, proof }) => ({ ...verdict, proof })),
          })
        }
      }),
    recordRefinement: (refinement) =>
      once(
        () =>
          recordRefinement(client, {
            deployment,
            pool: refinement.pool,
            schemaId: digestToHex(refinement.schemaId),
            rowsRoot: digestToHex(refinement.digest),
            statement: proofOf(refinement.statement),
          }),
        // The contract keeps no list of refinements: a repeat is told by its StatementUsed.
        async () => false,
      ),
    recordErasure: ({ contribution, statement }) =>
      once(
        () =>
          invoke(client, {
            address: deployment.dataRegistry,
            abi: dataRegistryAbi,
            functionName: 'recordErasure',
            args: [BigInt(contribution), proofOf(statement)],
          }),
        async () =>
          (await getContribution(client, { deployment, id: BigInt(contribution) })).state === 'Erased',
      ),
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
        ['DrawTooEarly', 'TransitionNotAllowed', 'JobIsSuspended', 'NotDrawn'],
      ),
    requeueJob: (id) =>
      unless(
        () => requeueJob(client, { deployment, jobId: BigInt(id) }),
        ['NodeNotSilent', 'TooManyAttempts', 'TransitionNotAllowed'],
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
    releaseJob: (release) =>
      once(
        () =>
          releaseJob(client, {
            deployment,
            jobId: BigInt(release.job),
            receiptDigest: digestToHex(release.receiptDigest),
            resultDigest: digestToHex(release.resultDigest),
            budgetHeads: release.budgetHeads.map(digestToHex),
            statement: proofOf(release.statement),
          }),
        () => passed(release.job, ['Released', 'Settled']),
      ),
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

function proofOf(signed: SignedStatement): StatementProof {
  return {
    digest: digestToHex(statementDigest(signed.statement)),
    nonce: BigInt(signed.context.nonce),
    signature: signed.signature,
  }
}

/**
 * Fetches an answer whole within the time: an endpoint that sends half of it and stops would else hold up the node for ever,
 * since the client's own limit ends with the first byte.
 */
function fetchWhole(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit
    const response = await fetch(input, { ...init, signal })
    const { status, statusText, headers } = response
    return new Response(await response.arrayBuffer(), { status, statusText, headers })
  }
}

/** What the contract answers before the first anchor. */
const nothingAnchored = { sequence: 0n, anchoredAt: 0n, value: zeroHash as Hex }

/** Entries of a Merkle batch that are paid in one transaction. */
const entriesPerPayment = 100

async function requireChain(client: Client, place: string, chainId: number): Promise<void> {
  const found = await getChainId(client).catch((cause: unknown) => {
    throw new NodeError('CHAIN_CALL_FAILED', place, 'the endpoint does not answer; check the address', {
      cause,
    })
  })
  if (found === chainId) return
  throw new NodeError('CHAIN_MISMATCH', place, `the endpoint is of chain ${found}, not ${chainId}`)
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
