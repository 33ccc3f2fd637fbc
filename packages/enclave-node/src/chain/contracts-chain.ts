/**
 * The chain through the contracts' actions.
 * @module
 */
import {
  ContractsError,
  type Deployment,
  getContribution,
  getContributions,
  getJob,
  getJobEvents,
  getPool,
  isNodeActive,
  type JobEvent,
  jobBoardAbi,
  jobStates,
  publishPoolKey,
  recordRefinement,
  recordVerdicts,
  refuseJob,
  releaseJob,
  type Sent,
  type StatementProof,
  settleJob,
  startJob,
} from '@sealpool/contracts'
import {
  type Address,
  type Digest,
  digestToHex,
  type Hex,
  hexToDigest,
  type SignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import { BlockNotFoundError, createWalletClient, http, zeroAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, getBlockNumber, getChainId, readContract } from 'viem/actions'
import { NodeError } from '../errors.js'
import type { ChainJobEvent, ChainJobState, ChainPort } from './chain-port.js'
import { inOrder } from './in-order.js'
import { reasonWord } from './reason-word.js'

/** How to reach the chain. */
export interface ContractsChainOptions {
  readonly rpcUrl: string
  readonly deployment: Deployment
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
  const { deployment } = options
  const client = createWalletClient({
    account: privateKeyToAccount(options.transactionKey),
    transport: http(options.rpcUrl, { timeout: 20_000, retryCount: 3 }),
    pollingInterval: Math.min(options.pollMs, 1_000),
  })
  const send = inOrder()
  const found = await getChainId(client).catch((cause: unknown) => {
    throw new NodeError(
      'CHAIN_CALL_FAILED',
      'chain.rpcUrl',
      'the endpoint does not answer; check the address',
      { cause },
    )
  })
  if (found !== deployment.chainId) {
    throw new NodeError(
      'CHAIN_MISMATCH',
      'chain.rpcUrl',
      `the endpoint is of chain ${found}, not ${deployment.chainId}`,
    )
  }

  /** Sends in order of nonces; null when one of `done` says that it stands there already. */
  const once = (write: () => Promise<Sent>, stands: () => Promise<boolean>): Promise<Hex | null> =>
    send(async () => {
      if (await stands()) return null
      try {
        return (await write()).hash
      } catch (error) {
        // Sent before a stop and mined since, or recorded by another node of the group.
        const already =
          error instanceof ContractsError &&
          (error.revert?.name === 'StatementUsed' || (error.revert !== undefined && (await stands())))
        if (already) return null
        throw error
      }
    })
  const believed = async (): Promise<bigint> => {
    const newest = await getBlockNumber(client, { cacheTime: 0 })
    const depth = BigInt(options.confirmations)
    return newest > depth ? newest - depth : 0n
  }
  /** As it stands in the newest block: only to see what need not be sent again. */
  const stateOf = async (id: string): Promise<ChainJobState> =>
    (await getJob(client, { deployment, jobId: BigInt(id) })).state
  const passed = async (id: string, states: readonly ChainJobState[]): Promise<boolean> =>
    states.includes(await stateOf(id))

  return {
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
    async head() {
      const block = await getBlock(client, { blockNumber: await believed() })
      return { number: block.number, hash: block.hash, timestamp: Number(block.timestamp) }
    },
    async blockHash(number) {
      try {
        return (await getBlock(client, { blockNumber: number })).hash
      } catch (error) {
        if (error instanceof BlockNotFoundError) return undefined
        throw error
      }
    },
    async contributions(fromBlock, toBlock) {
      const events = await getContributions(client, { deployment, fromBlock, toBlock })
      return events.map((event) => ({
        id: event.id.toString(),
        pool: lower(event.pool),
        owner: lower(event.owner),
        blobDigest: hexToDigest(event.blobDigest),
        commitment: hexToDigest(event.commitment),
        schemaId: event.schemaId,
        consentDigest: event.consentDigest,
        epoch: event.epoch,
        locator: event.locator,
        blockNumber: event.blockNumber,
        blockHash: event.blockHash,
        logIndex: event.logIndex,
      }))
    },
    async jobEvents(fromBlock, toBlock) {
      return (await getJobEvents(client, { deployment, fromBlock, toBlock })).map(jobEvent)
    },
    async jobState(id) {
      const job = await readContract(client, {
        address: deployment.jobBoard,
        abi: jobBoardAbi,
        functionName: 'getJob',
        args: [BigInt(id)],
        blockNumber: await believed(),
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
      }
    },
    async pool(address) {
      const pool = await getPool(client, { pool: address, deployment })
      const key = pool.keyEpoch
      return {
        name: pool.name,
        policyDigest: hexToDigest(pool.policyDigest),
        pocDigest: hexToDigest(pool.pocDigest),
        refinerDigest: hexToDigest(pool.refinerDigest),
        keyEpoch:
          key === null
            ? null
            : {
                epoch: key.epoch,
                policyDigest: hexToDigest(key.policyDigest),
                keyDigest: hexToDigest(key.keyDigest),
                node: lower(key.node),
              },
      }
    },
    isNodeActive: (statementKey) => isNodeActive(client, { deployment, statementKey }),
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
        async () => ((await getPool(client, { pool: key.pool })).keyEpoch?.epoch ?? 0) >= key.epoch,
      ),
    recordVerdicts: (batch) =>
      once(
        () =>
          recordVerdicts(client, {
            deployment,
            pool: batch.pool,
            entries: batch.entries.map((entry) => ({
              contributionId: BigInt(entry.contributionId),
              score: entry.score,
              refused: entry.refused,
              verdictDigest: digestToHex(entry.verdictDigest),
            })),
            statement: proofOf(batch.statement),
          }),
        async () => {
          // A batch is recorded whole or not at all.
          const [first] = batch.entries
          if (first === undefined) return true
          const record = await getContribution(client, { deployment, id: BigInt(first.contributionId) })
          return record.state !== 'Offered'
        },
      ),
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

function jobEvent(event: JobEvent): ChainJobEvent {
  const id = event.id.toString()
  if (event.name === 'JobProposed') {
    const { consumer, manifestDigest, manifestLocator, pools } = event.args
    const digest: Digest = hexToDigest(manifestDigest)
    return {
      kind: 'proposed',
      id,
      job: {
        id,
        consumer: lower(consumer),
        manifestDigest: digest,
        locator: manifestLocator,
        pools: pools.map(lower),
      },
    }
  }
  if (event.name === 'JobApproved') {
    const { pool, terms } = event.args
    return {
      kind: 'approved',
      id,
      approval: { pool: lower(pool), block: event.blockNumber.toString(), price: terms.price.toString() },
    }
  }
  if (event.name === 'JobReleased') {
    const { node, budgetHeads } = event.args
    return { kind: 'released', id, node: lower(node), budgetHeads: budgetHeads.map(hexToDigest) }
  }
  if (event.name === 'JobStateChanged') return { kind: 'moved', id, state: event.args.to }
  return { kind: 'touched', id }
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
