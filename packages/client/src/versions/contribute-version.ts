import {
  ContractsError,
  type Contribution,
  type Deployment,
  dataRegistryAbi,
  getContributions,
  invoke,
  type Sent,
  supersedeBatchEntry,
} from '@sealpool/contracts'
import { type Address, platformRandom, type Random } from '@sealpool/crypto'
import { type Account, type Client, isAddressEqual, parseEventLogs } from 'viem'
import { getTransactionReceipt } from 'viem/actions'
import {
  type ContributeContext,
  type ContributeOptions,
  journaling,
  newEntry,
  onChain,
  sameContribution,
  secondsOf,
  send,
  sendingSeconds,
  staleErrors,
  stillGood,
  storedOf,
} from '../contribute/contribute.js'
import {
  type ContributionJournal,
  type JournalEntry,
  requireJournalKey,
} from '../contribute/contribution-journal.js'
import { type PreflightFinding, requirePreflight, runPreflight } from '../contribute/preflight.js'
import {
  type ContributionInput,
  nonceOf,
  sealContribution,
  signPrepared,
  storeContribution,
} from '../contribute/prepare-contribution.js'
import { type ContributionStep, runStep } from '../contribute/progress.js'
import { type Patience, withRetries } from '../contribute/retries.js'
import type { Contributor } from '../contributor.js'
import { ClientError } from '../errors.js'
import type { BlobStore } from '../store/blob-store.js'
import { verifiedNow } from '../verify/verified-now.js'
import { isReplacedBy, type OlderVersion, olderVersion, unfit } from './older-version.js'
import { formatVersionEntry, parseVersionEntry, type VersionEntry } from './version-journal.js'

/** What a newer version is made of. */
export interface VersionOptions extends ContributeOptions, Patience {
  /** Verifies the node: a pool client, or whatever else gives a readiness. */
  readonly client: Pick<Contributor, 'ready'>
  /** A viem client on the pool's chain with the owner's account. */
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  readonly blobStore: BlobStore
  /** Where it is noted, so that it goes on after a crash; with `key`. */
  readonly journal?: ContributionJournal
  /** The owner of both versions; signs and sends. */
  readonly account: Account
  readonly input: ContributionInput
  /** Number of the older version: the registry's, or that of an entry of a Merkle batch as receipts and nodes have it. */
  readonly supersedes: bigint
  readonly random?: Random
  readonly now?: () => Date
  readonly wait?: (milliseconds: number) => Promise<void>
}

/** A newer version that stands on chain. */
export interface ContributedVersion extends Sent {
  readonly id: bigint
  readonly supersedes: bigint
  readonly contribution: Contribution
  readonly sealedBytes: number
  /** No hardware stands behind the node that it was sealed to: show it. */
  readonly simulated: boolean
  readonly findings: readonly PreflightFinding[]
  /** An earlier run of the same key had begun it. */
  readonly resumed: boolean
}

/** As `contributeVersion` of the entry, over a given clock and timer. */
export async function versionWith(
  options: VersionOptions & Required<Pick<VersionOptions, 'now' | 'wait'>>,
): Promise<ContributedVersion> {
  const { chain, deployment, pool, blobStore, account, input, supersedes, signal, key, journal } = options
  const { random = platformRandom, now, wait } = options
  const { attempts = 3, retryDelayMs = 500 } = options
  const patience = { attempts, retryDelayMs, wait, signal }
  const verified = () => verifiedNow(options.client)
  const context: ContributeContext = {
    ...{ chain, deployment, pool, blobStore, journal, random, now, wait },
    patience: { attempts, retryDelayMs },
    verified,
  }
  const step = <Result>(name: ContributionStep, work: () => Promise<Result>) =>
    runStep(name, options, () => withRetries(work, patience))
  const skipped = (name: ContributionStep) => options.onProgress?.({ step: name, state: 'skipped' })
  requireKey(key, journal)

  const findings = await runStep('preflight', options, () =>
    runPreflight(input, options.preflight ?? [], signal),
  )
  requirePreflight(findings)
  const older = await withRetries(
    () => olderVersion(chain, { deployment, pool, owner: account.address, id: supersedes }),
    patience,
  )
  let noted = await readNoted(options, context)
  const resumed = noted !== undefined
  const note = async (next: VersionEntry): Promise<VersionEntry> => {
    if (key !== undefined) await journaling(async () => journal?.set(key, formatVersionEntry(next)))
    return next
  }
  const finish = async (known: VersionEntry, { sent, id }: Found): Promise<ContributedVersion> => {
    const done = { ...known.contribution, done: { id, hash: sent.hash } }
    await note({ ...known, contribution: done })
    return { ...sent, id, supersedes, ...storedOf(done), findings, resumed }
  }

  if (noted !== undefined && noted.contribution.stored !== null) {
    const known = noted.contribution
    const there = await withRetries(() => newerOnChain(context, older, known), patience)
    if (there !== undefined) {
      for (const name of ['verify', 'seal', 'store', 'sign', 'send'] as const) skipped(name)
      return finish(noted, there)
    }
  }
  await requireOpen(context, older, noted)

  for (let round = 1; ; round += 1) {
    const ready = await step('verify', verified)
    noted ??= await note({
      supersedes,
      replacement: null,
      contribution: await newEntry(context, account, input, nonceOf(input, random)),
    })
    let entry: JournalEntry = noted.contribution
    if (entry.stored !== null && !(await stillGood(entry.stored, ready, blobStore, patience))) {
      entry = { ...entry, stored: null, signed: null }
    }
    if (entry.stored === null) {
      const { nonce } = entry
      const made = await step('seal', () =>
        sealContribution({ pool: ready, deployment, account, random, input, nonce }),
      )
      await step('store', () => storeContribution(made, blobStore, signal))
      const { contribution, sealed } = made
      const stored = { contribution, sealedBytes: sealed.length, simulated: ready.simulated }
      entry = { ...entry, stored, signed: null }
      noted = await note({ ...noted, contribution: entry })
    } else {
      skipped('seal')
      skipped('store')
    }
    const { contribution } = storedOf(entry)
    // A transaction of the owner's own needs no signature besides.
    const isSigned = older.kind === 'entry'
    if (isSigned && (entry.signed === null || secondsOf(now()) + sendingSeconds > entry.signed.deadline)) {
      const asked = { account, deployment, contribution, deadline: input.deadline, now: now() }
      const { deadline, signature } = await runStep('sign', options, () => signPrepared(asked))
      entry = { ...entry, signed: { deadline, signature } }
      noted = await note({ ...noted, contribution: entry })
    } else skipped('sign')
    try {
      if (older.kind === 'entry')
        noted = await replaceEntry(context, { older, account, contribution, noted, note })
      const ofNow = entry
      const found = await step('send', () =>
        older.kind === 'single' ? sendVersion(context, account, older, ofNow) : send(context, account, ofNow),
      )
      return await finish({ ...noted, contribution: entry }, found)
    } catch (error) {
      const name = error instanceof ContractsError ? (error.revert?.name ?? '') : ''
      if (round > 1 || !staleErrors.includes(name)) throw error
      // The key or the clock went on meanwhile: once more with the same number.
      noted = { ...noted, contribution: { ...entry, signed: null } }
    }
  }
}

/** What stands on chain. */
interface Found {
  readonly sent: Sent
  readonly id: bigint
}

function requireKey(key: string | undefined, journal: ContributionJournal | undefined): void {
  if (key === undefined) return
  requireJournalKey(key)
  if (journal === undefined) throw new ClientError('OPTION_INVALID', 'key', 'a key needs a journal: give one')
}

async function readNoted(
  { key, journal, account, input, supersedes }: VersionOptions,
  context: ContributeContext,
): Promise<VersionEntry | undefined> {
  if (key === undefined) return undefined
  const text = await journaling(async () => journal?.get(key))
  if (text === undefined) return undefined
  const entry = parseVersionEntry(text)
  if (entry.supersedes !== supersedes) {
    throw new ClientError(
      'JOURNAL_MISMATCH',
      'key',
      'under this key a version of another contribution was begun; use another key',
    )
  }
  return { ...entry, contribution: sameContribution(entry.contribution, context, account, input) }
}

/** Refuses to go on where something else stands for the older version. */
async function requireOpen(
  { chain, deployment }: ContributeContext,
  older: OlderVersion,
  noted: VersionEntry | undefined,
): Promise<void> {
  if (!older.superseded) return
  if (older.kind === 'single') throw unfit(older.id, 'another version stands for it already')
  const { batchId, index } = older
  const replacement = noted?.replacement ?? null
  const own =
    noted !== undefined &&
    replacement !== null &&
    (await isReplacedBy(chain, {
      ...{ deployment, batchId, index, replacement },
      fromBlock: noted.contribution.fromBlock,
    }))
  if (!own)
    throw new ClientError('NOT_SUPERSEDABLE', 'supersedes', 'the entry was taken back or replaced already')
}

/** The newer version where an earlier run has brought it to the chain. */
async function newerOnChain(
  context: ContributeContext,
  older: OlderVersion,
  entry: JournalEntry,
): Promise<Found | undefined> {
  if (older.kind === 'entry') return onChain(context, entry)
  return older.superseded ? eventOf(context, entry) : undefined
}

async function eventOf(
  { chain, deployment, pool }: ContributeContext,
  entry: JournalEntry,
): Promise<Found | undefined> {
  const { owner, nonce, fromBlock } = entry
  const { blobDigest } = storedOf(entry).contribution
  const events = await getContributions(chain, { deployment, pool, fromBlock })
  const own = events.find(
    (event) => isAddressEqual(event.owner, owner) && event.nonce === nonce && event.blobDigest === blobDigest,
  )
  if (own === undefined) return undefined
  const hash = own.transactionHash
  const receipt = await getTransactionReceipt(chain, { hash }).catch((cause: unknown) => {
    throw new ClientError('CHAIN_READ_FAILED', 'receipt', 'the chain does not answer; try again', { cause })
  })
  return { sent: { hash, receipt }, id: own.id }
}

/** Has an entry of a Merkle batch replaced by the sealed file of the newer version, once. */
async function replaceEntry(
  { chain, deployment }: ContributeContext,
  options: {
    readonly older: OlderVersion & { readonly kind: 'entry' }
    readonly account: Account
    readonly contribution: Contribution
    readonly noted: VersionEntry
    readonly note: (next: VersionEntry) => Promise<VersionEntry>
  },
): Promise<VersionEntry> {
  const { older, account, contribution, noted, note } = options
  if (noted.replacement !== null) {
    const { replacement } = noted
    const { fromBlock } = noted.contribution
    if (await isReplacedBy(chain, { deployment, ...older, replacement, fromBlock })) return noted
  }
  const { batchId, index, entry, proof } = older
  const replacement = contribution.blobDigest
  // Before it is sent: a run that is killed then knows its own work again.
  const begun = await note({ ...noted, replacement })
  await supersedeBatchEntry(chain, { deployment, account, batchId, index, entry, proof, replacement })
  return begun
}

/** Sends the one transaction of a version in the registry, or finds what an earlier run has sent. */
async function sendVersion(
  context: ContributeContext,
  account: Account,
  { id }: OlderVersion & { readonly kind: 'single' },
  entry: JournalEntry,
): Promise<Found> {
  const { chain, deployment } = context
  const { contribution } = storedOf(entry)
  try {
    const sent = await invoke(chain, {
      account,
      address: deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'contributeVersion',
      args: [id, contribution],
    })
    const [event] = parseEventLogs({
      abi: dataRegistryAbi,
      eventName: 'ContributionSuperseded',
      logs: sent.receipt.logs,
    })
    if (event === undefined)
      throw new ContractsError('NOT_FOUND', 'contributeVersion', 'the receipt holds no such event')
    return { sent, id: event.args.by }
  } catch (error) {
    // Another run of ours was faster, or the transaction was mined and only its answer was lost.
    const found = await eventOf(context, entry).catch(() => undefined)
    if (found === undefined) throw error
    return found
  }
}
