import { type AttestationPolicy, parseAttestationPolicy } from '@sealpool/attest'
import type { Address } from '@sealpool/crypto'
import { type Present, presentCredential } from './access/present-credential.js'
import { withRetries } from './contribute/retries.js'
import {
  type Contributor,
  contributor,
  nullWhenUnknown,
  type PoolClientOptions,
  type PoolClientPorts,
} from './contributor.js'
import { ClientError } from './errors.js'
import { defaultFinality, requireFinality } from './finality.js'
import { type GovernanceCalls, governanceCalls } from './governance/governance-calls.js'
import { type DataUse, whoUsedMyData } from './history/who-used-my-data.js'
import { type JobCalls, jobCalls } from './job/job-calls.js'
import type { PresentedConditions } from './node-api/messages.js'
import { readJobHomes } from './result/job-homes.js'
import { readJobOutcome } from './result/job-outcome.js'
import { type OpenedResult, openResult } from './result/open-result.js'
import { type JobReceiptVerdict, verifyJobReceipt } from './result/verify-job-receipt.js'

/** One pool, seen by an app: what contributors, members and consumers do. */
export interface PoolClient extends Contributor, JobCalls, GovernanceCalls {
  /**
   * Which released jobs of the pool worked on an owner's contributions, by receipts that verify and that the chain recorded; of a job
   * whose release is not final yet it says that (`not-final`).
   *
   * @param options - `owner` (default: the chain client's account), `trust` (default: the pool policy's own attestation rules), `signal`:
   *   stops it, with its own reason. A node that gives no answer three times in a row is asked no more: the other jobs are `unknown`
   * @throws ClientError `ACCOUNT_REQUIRED`; AttestError `BAD_POLICY`; ContractsError `CHAIN_UNREACHABLE`; the signal's reason
   */
  whoUsedMyData(options?: {
    readonly owner?: Address
    readonly trust?: AttestationPolicy
    readonly signal?: AbortSignal
  }): Promise<readonly DataUse[]>
  /**
   * Shows the (verified) node a credential, where the pool's access conditions ask for one: before a job is planned, and again when a
   * presentation is over. It takes a client whose calls are sealed and whose account signs in (`access`).
   *
   * @param options - `present`: is given `nonce` and `audience` and has the holder's wallet sign for them; see `sealpool access` for what
   *   the pool asks
   * @returns for each credential that the pool asks for until when it counts, or why it does not
   * @throws ClientError `OPTION_INVALID` for a client without `access`; `NOT_READY`, and of the node: `CREDENTIAL_POOL`, `CREDENTIAL_NONCE`; what `present` throws
   */
  presentCredential(options: { readonly present: Present }): Promise<PresentedConditions>
  /**
   * Fetches and opens the result of a job, or the view of it that the job's manifest gives a recipient. Its digest must be the one that the
   * chain recorded at the release, in a final block.
   *
   * @param jobId the job's number on chain
   * @param privateKey X25519, 32 bytes, behind the `resultKey` that the manifest has of the consumer, or of the recipient
   * @param options - `recipient`: whose view it is; default: the consumer's
   * @throws ClientError `RESULT_MISSING` (also when nothing of it was sealed to the recipient), `NOT_FINAL`, `RESULT_INVALID`, or of the node; CryptoError when it was sealed to somebody else
   */
  result(
    jobId: bigint,
    privateKey: Uint8Array,
    options?: { readonly recipient?: Address },
  ): Promise<OpenedResult>
  /**
   * Fetches a job's receipt and verifies its whole chain of trust, and that it is the receipt that the chain recorded. A receipt over
   * several pools is held against what their homes have signed, and against what the chain shows of homes and charges.
   *
   * @param jobId the job's number on chain
   * @param options - `trust`: which node evidence the caller trusts (parse it with attest's `parseAttestationPolicy`);
   *   `result`: the opened bytes from {@link result}, without which a released job's verdict stays `not-checked`; `recipient`: whose view
   *   that is; default: the consumer's
   * @returns the verdict with every link; a bad receipt makes it not ok, and so does one that the chain recorded in a block that is not
   *   final yet: then its `state` is `not-final`. For a `recipient` to whom the receipt gives no view of the result, as for an auditor, it is
   *   not ok either, and `receipt-verified` where all else holds
   * @throws ClientError of the node, `CHAIN_READ_FAILED`; ContractsError `CHAIN_UNREACHABLE`
   */
  verifyReceipt(
    jobId: bigint,
    options: {
      readonly trust: AttestationPolicy
      readonly result?: Uint8Array
      readonly recipient?: Address
    },
  ): Promise<JobReceiptVerdict>
}

/**
 * A pool client over given ports; `createPoolClient` fills in the platform's.
 *
 * @param options - chain, contracts, policy, node and store
 * @param ports - how to reach the node, randomness, the clock
 * @returns the client
 * @throws ClientError `OPTION_INVALID`
 */
export function poolClient(options: PoolClientOptions, ports: PoolClientPorts): PoolClient {
  const { chain, deployment, pool, policy, blobStore } = options
  const { random, now, wait } = ports
  const { verified, ...own } = contributor(options, ports)
  const { node } = own
  const name = policy['name']
  const poolName = typeof name === 'string' ? name : 'pool'
  const finality = requireFinality(options.finality ?? defaultFinality)
  /** What the chain says is released; the node may have to read so first, as it reads the chain every few seconds. */
  const releasedResult = (id: string, recipient: Address | undefined) =>
    withRetries(() => node.jobResult(id, recipient), {
      ...(options.retryDelayMs === undefined ? {} : { retryDelayMs: options.retryDelayMs }),
      attempts: looksForReleased,
      wait,
      passes: (error) => error instanceof ClientError && error.nodeCode === 'RESULT_NOT_READY',
    })
  const shared = { chain, deployment, pool, blobStore, random, now, wait, node, poolName, verified, finality }
  return {
    ...own,
    ...jobCalls(shared),
    ...governanceCalls(shared),
    async whoUsedMyData({ owner = chain.account?.address, trust, signal } = {}) {
      if (owner === undefined) {
        throw new ClientError(
          'ACCOUNT_REQUIRED',
          'owner',
          'give the chain client an account, or pass the owner',
        )
      }
      let silent = 0
      const receiptOf = async (jobId: bigint) => {
        // Thousands of jobs, each waited for until its time is up, would be days.
        if (silent >= mostSilent) return undefined
        try {
          const bundle = await node.jobReceipt(jobId.toString())
          silent = 0
          return bundle
        } catch (error) {
          const code = error instanceof ClientError ? error.code : ''
          silent = code === 'NODE_UNREACHABLE' ? silent + 1 : 0
          // One receipt that cannot be read says nothing about the others.
          if (code !== 'NODE_ANSWER_INVALID') nullWhenUnknown(error)
          return undefined
        }
      }
      const trusted = trust ?? parseAttestationPolicy(policy['attestation'])
      const asked = { chain, deployment, pool, owner, receiptOf, finality, trust: trusted, at: now(), signal }
      return whoUsedMyData(asked)
    },
    async presentCredential({ present }) {
      // Whoever carries a plain call would read the credential, and could give a nonce that the node gave to a wallet of his.
      if (options.access === undefined) {
        throw new ClientError(
          'OPTION_INVALID',
          'access',
          'a credential is shown in sealed calls alone; give the client `access: nodeAccess({ account })`',
        )
      }
      const { keySet } = await verified()
      return presentCredential(node, { pool, keySet, present })
    },
    async result(jobId, privateKey, { recipient } = {}) {
      const outcome = await readJobOutcome(chain, { deployment, jobId, finality })
      if (outcome?.kind !== 'released') {
        const why = outcome === undefined ? 'it has not ended with a release' : 'it was refused'
        throw new ClientError('RESULT_MISSING', `job ${jobId}`, `the job has no result: ${why}`)
      }
      if (!outcome.final) {
        const why = `the chain released it in block ${outcome.blockNumber}, which is not final yet; ask again later`
        throw new ClientError('NOT_FINAL', `job ${jobId}`, why)
      }
      const sealed = await releasedResult(jobId.toString(), recipient).catch((cause: unknown) => {
        if (!(cause instanceof ClientError) || cause.nodeCode !== 'RECIPIENT_UNKNOWN') throw cause
        const why =
          'the node has sealed nothing of it to this recipient; who gets the receipt alone checks that (verifyReceipt)'
        throw new ClientError('RESULT_MISSING', `job ${jobId}`, why, { cause, nodeCode: cause.nodeCode })
      })
      return openResult({ sealed, privateKey, expectedDigest: outcome.result })
    },
    async verifyReceipt(jobId, { trust, result, recipient }) {
      const id = jobId.toString()
      const [outcome, bundle] = await Promise.all([
        readJobOutcome(chain, { deployment, jobId, finality }),
        node.jobReceipt(id),
      ])
      const released = outcome?.kind === 'released' ? outcome : undefined
      const sealedResult =
        released === undefined ? undefined : await keptResult(releasedResult(id, recipient))
      const homes = await readJobHomes(chain, {
        deployment,
        receipt: bundle.receipt,
        manifest: bundle.manifest,
        at: outcome?.blockNumber,
      })
      const shares = homes === undefined ? undefined : await node.jobShares(id)
      return verifyJobReceipt({
        bundle,
        recorded: outcome?.receipt,
        recordedAt: outcome && { block: outcome.blockNumber, final: outcome.final },
        job: { id: jobId, manifest: outcome?.manifest },
        deployment: { chainId: deployment.chainId, registry: deployment.nodeRegistry },
        trust,
        at: now(),
        recipient,
        ...(result === undefined ? {} : { result }),
        ...(sealedResult === undefined ? {} : { sealedResult }),
        ...(homes === undefined ? {} : { homes }),
        ...(shares === undefined ? {} : { shares }),
        ...(released === undefined ? {} : { released }),
      })
    },
  }
}

/** With pauses that double from half a second on, a quarter of a minute. */
const looksForReleased = 6

/** Questions in a row that a node may leave unanswered before it is asked no more. */
const mostSilent = 3

/** The sealed result, as long as the node keeps it: a receipt is verified for longer than that. */
async function keptResult(asked: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ClientError && noResult.includes(error.nodeCode)) return undefined
    throw error
  }
}

/** Nothing is kept any more, or nothing was sealed to whoever asks. */
const noResult: readonly (string | undefined)[] = ['RESULT_DELETED', 'RECIPIENT_UNKNOWN']
