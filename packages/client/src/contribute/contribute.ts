import {
  ContractsError,
  contributeSigned,
  type Deployment,
  dataRegistryAbi,
  getContributions,
  type Sent,
} from '@sealpool/contracts'
import { type Address, type Digest, digestToHex, type Hex, type Random } from '@sealpool/crypto'
import { type Account, type Client, isAddressEqual } from 'viem'
import { getBlockNumber, getTransactionReceipt, readContract } from 'viem/actions'
import { ClientError } from '../errors.js'
import type { BlobStore } from '../store/blob-store.js'
import { BlobStoreError } from '../store/blob-store-error.js'
import type { VerifiedPool } from '../verify/verified-pool.js'
import { chainRead } from './chain-read.js'
import {
  type ContributionJournal,
  formatJournalEntry,
  type JournalEntry,
  parseJournalEntry,
  requireJournalKey,
} from './contribution-journal.js'
import { requireGasMoney } from './gas-money.js'
import { type PreflightCheck, type PreflightFinding, requirePreflight, runPreflight } from './preflight.js'
import {
  type ContributionInput,
  locatorOf,
  nonceOf,
  type PreparedContribution,
  sealContribution,
  signPrepared,
  storeContribution,
} from './prepare-contribution.js'
import { type ContributionStep, type OnContributionProgress, runStep } from './progress.js'
import { type Patience, withRetries } from './retries.js'

/** How one contribution is made. */
export interface ContributeOptions {
  /** Told of every step. */
  readonly onProgress?: OnContributionProgress
  /** Stops between steps, and what can be stopped within one, with its own reason. A transaction that was sent stays sent. */
  readonly signal?: AbortSignal
  /**
   * Names this export in the client's journal. A contribution that was begun under the key goes on where it stood, and one
   * that is done is only told of again. Another export needs another key.
   */
  readonly key?: string
  /** What is looked at before anything leaves, besides the client's own preflight. */
  readonly preflight?: readonly PreflightCheck[]
}

/** A contribution that stands on chain. */
export interface Contributed extends Sent {
  /** The contribution's number on chain. */
  readonly id: bigint
  readonly prepared: PreparedContribution
  /** What the preflight found; nothing of it failed. */
  readonly findings: readonly PreflightFinding[]
  /** An earlier run of the same key had begun it. */
  readonly resumed: boolean
}

/** What {@link contribute} stands on. */
export interface ContributeContext {
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  readonly blobStore: BlobStore
  readonly journal: ContributionJournal | undefined
  readonly random: Random
  readonly now: () => Date
  readonly wait: (milliseconds: number) => Promise<void>
  readonly patience: Patience
  /** A pool that is verified now. */
  readonly verified: () => Promise<VerifiedPool>
}

/** Errors of the registry after which sealed file or signature must be made anew: another key, or the time is over. */
export const staleErrors = ['EpochNotCurrent', 'EpochPolicyStale', 'SignatureExpired']
/** Seconds that a signature must still count when it is sent. */
export const sendingSeconds = 60n

/**
 * Brings one export to the chain: preflight, verify, seal, store, sign, send. With a journal, every step is noted once it is
 * done, and the number in the registry (which never counts twice) before the first byte leaves: a run that was killed anywhere
 * goes on, and the chain gets one contribution.
 *
 * @param context - the world
 * @param account the owner; signs and sends
 * @param input the export
 * @param options - progress, cancelling, key
 * @returns the contribution on chain
 * @throws ClientError `PREFLIGHT_FAILED`, `OPTION_INVALID`, `JOURNAL_INVALID`, `JOURNAL_FAILED`, `JOURNAL_MISMATCH`,
 *   `NONCE_TAKEN`, `INSUFFICIENT_FUNDS`, and as
 *   `prepareContribution`; ContractsError as `contributeSigned`; the signal's reason
 */
export async function contribute(
  context: ContributeContext,
  account: Account,
  input: ContributionInput,
  options: ContributeOptions = {},
): Promise<Contributed> {
  const { journal, deployment, blobStore, random, now } = context
  const { key, signal } = options
  const patience = { ...context.patience, wait: context.wait, signal }
  const step = <Result>(name: ContributionStep, work: () => Promise<Result>) =>
    runStep(name, options, () => withRetries(work, patience))
  const skipped = (name: ContributionStep) => options.onProgress?.({ step: name, state: 'skipped' })

  const findings = await runStep('preflight', options, () =>
    runPreflight(input, options.preflight ?? [], signal),
  )
  requirePreflight(findings)

  /** What the journal has of this contribution; `first` where it has nothing yet. */
  const noted = async <First extends JournalEntry | undefined>(
    first: First,
  ): Promise<JournalEntry | First> => {
    if (key === undefined) return first
    const text = await journaling(async () =>
      first === undefined ? journal?.get(key) : journal?.setIfAbsent(key, formatJournalEntry(first)),
    )
    return text === undefined ? first : sameContribution(parseJournalEntry(text), context, account, input)
  }
  if (key !== undefined) {
    requireJournalKey(key)
    if (journal === undefined) {
      throw new ClientError('OPTION_INVALID', 'key', 'a key needs a journal: give the client one')
    }
  }
  let entry = await noted(undefined)
  const resumed = entry !== undefined
  const note = async (next: JournalEntry): Promise<JournalEntry> => {
    if (key !== undefined) await journaling(async () => journal?.set(key, formatJournalEntry(next)))
    return next
  }
  const finish = async (known: JournalEntry, sent: Sent, id: bigint): Promise<Contributed> => {
    const done = await note({ ...known, done: { id, hash: sent.hash } })
    return { ...sent, id, prepared: preparedOf(done), findings, resumed }
  }

  if (entry !== undefined && entry.stored !== null) {
    // What an earlier run sent may stand on chain without that run having learned of it.
    const known = entry
    const there = await withRetries(() => onChain(context, known), patience)
    if (there !== undefined) {
      for (const name of ['verify', 'seal', 'store', 'sign', 'send'] as const) skipped(name)
      // Without a signature here, another run under this key has sent it, and noted what it signed before.
      const signed = known.signed ?? (await noted(known)).signed
      return finish({ ...known, signed }, there.sent, there.id)
    }
  }

  let signAgain = false
  for (let round = 1; ; round += 1) {
    const pool = await step('verify', context.verified)
    entry ??= await noted(
      await withRetries(() => newEntry(context, account, input, nonceOf(input, random)), patience),
    )
    const { nonce } = entry
    const before = entry
    if (entry.stored !== null && !(await stillGood(entry.stored, pool, blobStore, patience))) {
      entry = { ...entry, stored: null, signed: null }
    }
    if (entry.stored === null) {
      const made = await step('seal', async () => {
        await requireGasMoney(context.chain, account)
        return sealContribution({ pool, deployment, account, random, input, nonce })
      })
      await step('store', () => storeContribution(made, blobStore, signal))
      const { contribution, sealed } = made
      const stored = { contribution, sealedBytes: sealed.length, simulated: pool.simulated }
      // Another run of the same key may have been faster: then its file is the one to go on with.
      const latest = await noted(before)
      const isOurs = latest.stored?.contribution.blobDigest === before.stored?.contribution.blobDigest
      entry = isOurs ? await note({ ...entry, stored, signed: null }) : latest
    } else {
      skipped('seal')
      skipped('store')
    }
    const { contribution } = storedOf(entry)
    if (entry.signed === null || signAgain || secondsOf(now()) + sendingSeconds > entry.signed.deadline) {
      // Not tried again by itself: a wallet would ask its holder each time.
      const asked = { account, deployment, contribution, deadline: input.deadline, now: now() }
      const { deadline, signature } = await runStep('sign', options, () => signPrepared(asked))
      entry = await note({ ...entry, signed: { deadline, signature } })
    } else skipped('sign')
    const ready = entry
    try {
      const { sent, id } = await step('send', () => send(context, account, ready))
      return await finish(ready, sent, id)
    } catch (error) {
      const name = error instanceof ContractsError ? (error.revert?.name ?? '') : ''
      const isTaken = error instanceof ClientError && error.code === 'NONCE_TAKEN'
      if (round > 1 || !(isTaken || staleErrors.includes(name))) throw error
      // The key or the clock went on meanwhile: once more with the same number, which the chain has not taken.
      signAgain = !isTaken
      // Or another run of the same key has sent its own file under the number, and noted that.
      entry = await noted(ready)
    }
  }
}

/** Reads or writes a journal. @throws ClientError `JOURNAL_FAILED` */
export async function journaling<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    const message = 'the journal cannot be read or written; make room or give rights, then call again'
    throw new ClientError('JOURNAL_FAILED', 'journal', message, { cause })
  }
}

/** The entry of a contribution of which nothing has left yet. */
export async function newEntry(
  { chain, deployment, pool }: ContributeContext,
  account: Account,
  input: ContributionInput,
  nonce: bigint,
): Promise<JournalEntry> {
  return {
    chainId: deployment.chainId,
    pool,
    owner: account.address,
    schemaId: input.schemaId,
    consentDigest: input.consentDigest,
    size: input.bytes.length,
    nonce,
    fromBlock: await chainRead('receipt', () => getBlockNumber(chain, { cacheTime: 0 })),
    stored: null,
    signed: null,
    done: null,
  }
}

/** An entry must be about this contribution: a key that is used for two exports would lose one of them. */
export function sameContribution(
  entry: JournalEntry,
  { deployment, pool }: ContributeContext,
  account: Account,
  input: ContributionInput,
): JournalEntry {
  const { stored } = entry
  const contribution = stored?.contribution
  const differs = {
    chain: entry.chainId !== deployment.chainId,
    pool: !isAddressEqual(entry.pool, pool),
    account: !isAddressEqual(entry.owner, account.address),
    schemaId: entry.schemaId !== input.schemaId,
    consentDigest: entry.consentDigest !== input.consentDigest,
    bytes: entry.size !== input.bytes.length,
    nonce: input.nonce !== undefined && entry.nonce !== input.nonce,
    stored:
      contribution !== undefined &&
      !(
        isAddressEqual(contribution.pool, pool) &&
        isAddressEqual(contribution.owner, account.address) &&
        contribution.schemaId === digestToHex(input.schemaId) &&
        contribution.consentDigest === digestToHex(input.consentDigest) &&
        contribution.nonce === entry.nonce &&
        contribution.locator === locatorOf(input, digestOfBlob(contribution))
      ),
  }
  const places = Object.entries(differs).flatMap(([name, different]) => (different ? name : []))
  if (places.length === 0) return entry
  throw new ClientError(
    'JOURNAL_MISMATCH',
    'key',
    `under this key another contribution was begun (${places.join(', ')} differ); use another key`,
  )
}

/** What every store of blobs calls the sealed file. */
function digestOfBlob({ blobDigest }: { readonly blobDigest: Hex }): Digest {
  return `sha256:${blobDigest.slice(2)}`
}

/** Whether what an earlier run stored can still be sent: sealed to the key of today, and still there. */
export async function stillGood(
  {
    contribution,
  }: {
    readonly contribution: { readonly epoch: number; readonly blobDigest: Hex; readonly locator: string }
  },
  pool: VerifiedPool,
  blobStore: BlobStore,
  patience: Parameters<typeof withRetries>[1],
): Promise<boolean> {
  if (contribution.epoch !== pool.epoch) return false
  // The pool went live meanwhile: what lies in a store of the pool's would be refused.
  if (pool.keep === 'live' && contribution.locator.startsWith('sha256:')) return false
  try {
    await withRetries(() => blobStore.getRange(digestOfBlob(contribution), { start: 0, length: 1 }), patience)
    return true
  } catch (error) {
    if (error instanceof BlobStoreError && error.code === 'BLOB_MISSING') return false
    throw error
  }
}

/** Sends what its owner signed, or finds it on chain where it was sent already. */
export async function send(
  context: ContributeContext,
  account: Account,
  entry: JournalEntry,
): Promise<{ readonly sent: Sent; readonly id: bigint }> {
  const { chain, deployment } = context
  try {
    const { contribution, deadline, signature } = preparedOf(entry)
    const { id, hash, receipt } = await contributeSigned(chain, {
      deployment,
      signed: { contribution, deadline, signature },
      account,
    })
    return { sent: { hash, receipt }, id }
  } catch (error) {
    // Another run of ours was faster, or the transaction was mined and only its answer was lost.
    const found = await onChain(context, entry).catch((problem: unknown) => {
      if (problem instanceof ClientError && problem.code === 'NONCE_TAKEN') throw problem
      return undefined
    })
    if (found === undefined) throw error
    return found
  }
}

/**
 * The contribution as it stands on chain under its owner's number, or undefined while the number is unused.
 *
 * @throws ClientError `NONCE_TAKEN` when the number stands for something else; ContractsError `CHAIN_UNREACHABLE`
 */
export async function onChain(
  { chain, deployment, pool }: ContributeContext,
  entry: JournalEntry,
): Promise<{ readonly sent: Sent; readonly id: bigint } | undefined> {
  const { owner, nonce, fromBlock } = entry
  const used = await chainRead('DataRegistry.nonceUsed', () =>
    readContract(chain, {
      address: deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'nonceUsed',
      args: [owner, nonce],
    }),
  )
  if (!used) return undefined
  const { contribution } = storedOf(entry)
  const events = await getContributions(chain, { deployment, pool, fromBlock })
  const own = events.find(
    (event) =>
      isAddressEqual(event.owner, owner) &&
      event.nonce === nonce &&
      event.blobDigest === contribution.blobDigest,
  )
  if (own === undefined) {
    throw new ClientError(
      'NONCE_TAKEN',
      'nonce',
      'the registry has something else under this number; choose another one',
    )
  }
  const receipt = await chainRead('receipt', () =>
    getTransactionReceipt(chain, { hash: own.transactionHash }),
  )
  return { sent: { hash: own.transactionHash, receipt }, id: own.id }
}

/** What was stored. @throws ClientError `JOURNAL_INVALID` */
export function storedOf(entry: JournalEntry): NonNullable<JournalEntry['stored']> {
  if (entry.stored !== null) return entry.stored
  throw new ClientError('JOURNAL_INVALID', 'journal', 'the entry holds no stored contribution')
}

/** What is signed. @throws ClientError `JOURNAL_INVALID` */
export function preparedOf(entry: JournalEntry): PreparedContribution {
  const { contribution, sealedBytes, simulated } = storedOf(entry)
  const signed: { readonly deadline: bigint; readonly signature: Hex } | null = entry.signed
  if (signed === null) throw new ClientError('JOURNAL_INVALID', 'journal', 'the entry holds no signature')
  return { contribution, ...signed, sealedBytes, simulated }
}

/** Unix seconds. */
export function secondsOf(date: Date): bigint {
  return BigInt(Math.floor(date.getTime() / 1000))
}
