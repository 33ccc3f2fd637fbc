import {
  ContractsError,
  contributeBatch,
  type Deployment,
  type SignedContribution,
} from '@sealpool/contracts'
import { type Address, platformRandom, type Random } from '@sealpool/crypto'
import type { Account, Client, Hash } from 'viem'
import {
  type ContributeContext,
  journaling,
  newEntry,
  preparedOf,
  sameContribution,
  secondsOf,
  sendingSeconds,
  stillGood,
} from '../contribute/contribute.js'
import {
  type ContributionJournal,
  formatJournalEntry,
  type JournalEntry,
  parseJournalEntry,
  requireJournalKey,
} from '../contribute/contribution-journal.js'
import { requireGasMoney } from '../contribute/gas-money.js'
import { type PreflightCheck, requirePreflight, runPreflight } from '../contribute/preflight.js'
import {
  type ContributionInput,
  nonceOf,
  sealContribution,
  signPrepared,
  storeContribution,
} from '../contribute/prepare-contribution.js'
import { type Patience, withRetries } from '../contribute/retries.js'
import type { Contributor } from '../contributor.js'
import { ClientError } from '../errors.js'
import type { BlobStore } from '../store/blob-store.js'
import { readChainFacts } from '../verify/chain-facts.js'
import { defaultMaximumAgeMs, freshReadiness } from '../verify/fresh-readiness.js'
import { verifiedNow } from '../verify/verified-now.js'
import { changedOnChain } from '../verify/verified-pool.js'
import { chainLookup, type Find } from './chain-lookup.js'

/** One export of many. */
export interface ManyItem {
  /** Names it in the journal, and in what is told; no two have one. */
  readonly key: string
  /** The export; a function is called when its turn comes, so that not all are in memory. */
  readonly input: ContributionInput | (() => Promise<ContributionInput>)
}

/** How far it is. */
export interface ManyProgress {
  /** From 0. */
  readonly task: number
  readonly tasks: number
  /** Key of the item that is prepared; absent when the task is sent. */
  readonly item?: string
  readonly state: 'prepared' | 'failed' | 'sent'
}

/** What many contributions are made of. */
export interface ManyOptions extends Patience {
  /**
   * Verifies the node, before each task and, where that was too long ago or the chain has changed since, before each item: a pool client, or
   * whatever else gives a readiness.
   */
  readonly client: Pick<Contributor, 'ready'>
  /** A viem client on the pool's chain; its account sends. */
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  readonly blobStore: BlobStore
  /** Where each item is noted: the same call goes on after a crash, and brings none twice. Without one each call begins anew. */
  readonly journal?: ContributionJournal
  /** The owner of all; signs each of them, so that an account which asks its holder every time is of no use here. */
  readonly account: Account
  readonly items: readonly ManyItem[]
  /** Most items of one transaction, 1 to 100; default 100. */
  readonly perTask?: number
  /** What is looked at of each before it leaves. */
  readonly preflight?: readonly PreflightCheck[]
  /** Told of every item and task; what it throws stops all. */
  readonly onProgress?: (progress: ManyProgress) => void
  /** Stops between items, with its own reason. */
  readonly signal?: AbortSignal
  readonly random?: Random
  readonly now?: () => Date
  readonly wait?: (milliseconds: number) => Promise<void>
}

/** What became of an item. */
export type ManyOutcome =
  | {
      readonly key: string
      readonly state: 'contributed'
      readonly id: bigint
      readonly hash: Hash
      readonly resumed: boolean
    }
  /** It alone failed; its error says why, and whether it may be tried again. */
  | { readonly key: string; readonly state: 'failed'; readonly error: unknown }

/** One transaction. */
export interface ManyTask {
  readonly hash: Hash
  readonly ids: readonly bigint[]
}

/** What became of all. */
export interface ManyContributed {
  /** In the order of the items. */
  readonly items: readonly ManyOutcome[]
  /** The transactions that this call sent. */
  readonly tasks: readonly ManyTask[]
}

const mostPerTask = 100

/** As `contributeMany` of the entry, over a given clock and timer. */
export async function manyWith(
  options: ManyOptions & Required<Pick<ManyOptions, 'now' | 'wait'>>,
): Promise<ManyContributed> {
  const { chain, deployment, pool, blobStore, journal, items, perTask = mostPerTask } = options
  const { random = platformRandom, now, wait } = options
  const { attempts = 3, retryDelayMs = 500 } = options
  requireOptions(items, perTask)
  // Preparing a task may take hours: no item goes to a node whose proof has run out or which the chain has dropped meanwhile.
  const fresh = freshReadiness({
    verify: () => options.client.ready(),
    unchanged: async (known) =>
      changedOnChain(known, await readChainFacts(chain, { deployment, pool })) === undefined,
    now,
    maximumAgeMs: defaultMaximumAgeMs,
  })
  const context: ContributeContext = {
    ...{ chain, deployment, pool, blobStore, journal, random, now, wait },
    patience: { attempts, retryDelayMs },
    verified: () => verifiedNow({ ready: fresh.current }),
  }
  const find = chainLookup(context)
  const tasks = Math.ceil(items.length / perTask)
  const outcomes: ManyOutcome[] = []
  const sent: ManyTask[] = []
  for (let task = 0; task < tasks; task += 1) {
    const mine = items.slice(task * perTask, (task + 1) * perTask)
    const tell = (state: ManyProgress['state'], item?: string) =>
      options.onProgress?.({ task, tasks, state, ...(item === undefined ? {} : { item }) })
    const patience = { attempts, retryDelayMs, wait, signal: options.signal }
    await withRetries(() => verifiedNow({ ready: fresh.verify }), patience)
    const done = new Map<string, ManyOutcome>()
    const ready: Ready[] = []
    let funded: Promise<void> | undefined
    const requireFunds = () => {
      // Whoever the chain's client sends for, which need not be the owner; without one nothing is sent.
      const sender = chain.account
      funded ??=
        sender === undefined ? Promise.resolve() : withRetries(() => requireGasMoney(chain, sender), patience)
      return funded
    }
    for (const item of mine) {
      options.signal?.throwIfAborted()
      const made = await prepareItem({ ...context, find, requireFunds }, options, item).catch(
        (error: unknown) => {
          // What is no item's own fault would fail all the others one by one.
          options.signal?.throwIfAborted()
          if (isEverybodys(error)) throw error
          return { key: item.key, state: 'failed', error } as const
        },
      )
      if ('entry' in made) ready.push(made)
      else done.set(item.key, made)
      tell('entry' in made || made.state === 'contributed' ? 'prepared' : 'failed', item.key)
    }
    sent.push(...(await sendTask(context, find, { ready, done })))
    for (const { key } of mine) {
      const outcome = done.get(key)
      if (outcome !== undefined) outcomes.push(outcome)
    }
    tell('sent')
  }
  return { items: outcomes, tasks: sent }
}

/** An item that waits to be sent. */
interface Ready {
  readonly key: string
  readonly entry: JournalEntry
  readonly signed: SignedContribution
  readonly resumed: boolean
}

function requireOptions(items: readonly ManyItem[], perTask: number): void {
  if (!Number.isSafeInteger(perTask) || perTask < 1 || perTask > mostPerTask)
    throw new ClientError('OPTION_INVALID', 'perTask', `expected a whole number from 1 to ${mostPerTask}`)
  for (const { key } of items) requireJournalKey(key)
  if (new Set(items.map(({ key }) => key)).size < items.length)
    throw new ClientError('OPTION_INVALID', 'items', 'two items have one key; each needs its own')
}

function isEverybodys(error: unknown): boolean {
  return (
    error instanceof ClientError &&
    ['JOURNAL_FAILED', 'NOT_READY', 'WRONG_CHAIN', 'ACCOUNT_REQUIRED', 'INSUFFICIENT_FUNDS'].includes(
      error.code,
    )
  )
}

/** Seals, stores and signs an item, or finds it on chain. */
async function prepareItem(
  context: ContributeContext & { readonly find: Find; readonly requireFunds: () => Promise<void> },
  { account, preflight = [], signal }: ManyOptions,
  { key, input: given }: ManyItem,
): Promise<Ready | ManyOutcome> {
  const { journal, blobStore, deployment, random, now, find } = context
  const patience = { ...context.patience, wait: context.wait, signal }
  const input = typeof given === 'function' ? await given() : given
  requirePreflight(await runPreflight(input, preflight, signal))
  const text = await journaling(async () => journal?.get(key))
  const noted =
    text === undefined ? undefined : sameContribution(parseJournalEntry(text), context, account, input)
  const resumed = noted !== undefined
  if (noted !== undefined && noted.stored !== null) {
    const there = await withRetries(() => find(noted), patience)
    if (there !== undefined) {
      await note(context, key, { ...noted, done: there })
      return { key, state: 'contributed', ...there, resumed }
    }
  }
  let entry = noted ?? (await firstEntry(context, account, { key, input }))
  const verified = await withRetries(context.verified, patience)
  if (entry.stored !== null && !(await stillGood(entry.stored, verified, blobStore, patience)))
    entry = { ...entry, stored: null, signed: null }
  if (entry.stored === null) {
    const { nonce } = entry
    await context.requireFunds()
    const made = await sealContribution({ pool: verified, deployment, account, random, input, nonce })
    await withRetries(() => storeContribution(made, blobStore, signal), patience)
    const { contribution, sealed } = made
    const stored = { contribution, sealedBytes: sealed.length, simulated: verified.simulated }
    entry = { ...entry, stored, signed: null }
    await note(context, key, entry)
  }
  const stored = entry.stored
  if (
    stored !== null &&
    (entry.signed === null || secondsOf(now()) + sendingSeconds > entry.signed.deadline)
  ) {
    const asked = {
      account,
      deployment,
      contribution: stored.contribution,
      deadline: input.deadline,
      now: now(),
    }
    const { deadline, signature } = await signPrepared(asked)
    entry = { ...entry, signed: { deadline, signature } }
    await note(context, key, entry)
  }
  return { key, entry, signed: preparedOf(entry), resumed }
}

/** Notes a new entry; where another run of the same key was faster, its number is the one that counts. */
async function firstEntry(
  context: ContributeContext,
  account: Account,
  { key, input }: { readonly key: string; readonly input: ContributionInput },
): Promise<JournalEntry> {
  const { journal, random } = context
  const entry = await newEntry(context, account, input, nonceOf(input, random))
  if (journal === undefined) return entry
  const text = await journaling(() => journal.setIfAbsent(key, formatJournalEntry(entry)))
  return sameContribution(parseJournalEntry(text), context, account, input)
}

async function note({ journal }: ContributeContext, key: string, entry: JournalEntry): Promise<void> {
  await journaling(async () => journal?.set(key, formatJournalEntry(entry)))
}

/** Sends a task, without the items for whose fault the chain would refuse it all. */
async function sendTask(
  context: ContributeContext,
  find: Find,
  { ready: prepared, done }: { readonly ready: readonly Ready[]; readonly done: Map<string, ManyOutcome> },
): Promise<readonly ManyTask[]> {
  const { chain, deployment } = context
  let ready = prepared
  while (ready.length > 0) {
    try {
      const signed = ready.map((one) => one.signed)
      const { hash, ids, skipped, notSigned } = await contributeBatch(chain, { deployment, signed })
      const left = new Set([...skipped, ...notSigned])
      let next = 0
      for (const [index, one] of ready.entries()) {
        const id = left.has(index) ? undefined : ids[next++]
        done.set(
          one.key,
          id === undefined
            ? await leftOut(context, find, one)
            : await contributed(context, one, { id, hash }),
        )
      }
      return ids.length === 0 ? [] : [{ hash, ids }]
    } catch (error) {
      const index = faultyItem(error)
      const faulty = index === undefined ? undefined : ready[index]
      // An earlier transaction may have been mined whose answer was lost: then there is nothing left to send.
      const there = faulty === undefined ? await findAll(context, find, ready) : undefined
      if (there !== undefined) {
        for (const outcome of there) done.set(outcome.key, outcome)
        return []
      }
      if (faulty === undefined) throw error
      done.set(faulty.key, await leftOut(context, find, faulty, error))
      ready = ready.filter((one) => one !== faulty)
    }
  }
  return []
}

/** Place of the item for whose fault the chain refused all. */
function faultyItem(error: unknown): number | undefined {
  if (!(error instanceof ContractsError) || error.revert === undefined) return undefined
  const { name, args } = error.revert
  const named = [
    'NonceUsed',
    'SignatureExpired',
    'ContributionSignatureInvalid',
    'LocatorLengthInvalid',
    'DigestZero',
  ]
  return named.includes(name) && typeof args[0] === 'bigint' ? Number(args[0]) : undefined
}

async function contributed(
  context: ContributeContext,
  { key, entry, resumed }: Ready,
  { id, hash }: { readonly id: bigint; readonly hash: Hash },
): Promise<ManyOutcome> {
  await note(context, key, { ...entry, done: { id, hash } })
  return { key, state: 'contributed', id, hash, resumed }
}

/** What became of an item that the chain left out: it stands there already, or has failed. */
async function leftOut(
  context: ContributeContext,
  find: Find,
  one: Ready,
  cause?: unknown,
): Promise<ManyOutcome> {
  try {
    const there = await find(one.entry)
    if (there !== undefined) return contributed(context, one, there)
  } catch (error) {
    return { key: one.key, state: 'failed', error }
  }
  const message = 'the chain left it out: its signature was not good any more when it was mined; call again'
  const error = cause ?? new ClientError('CONTRIBUTION_LEFT_OUT', one.key, message)
  return { key: one.key, state: 'failed', error }
}

async function findAll(
  context: ContributeContext,
  find: Find,
  ready: readonly Ready[],
): Promise<readonly ManyOutcome[] | undefined> {
  const found: ManyOutcome[] = []
  for (const one of ready) {
    const there = await find(one.entry).catch(() => undefined)
    if (there === undefined) return undefined
    found.push(await contributed(context, one, there))
  }
  return found
}
