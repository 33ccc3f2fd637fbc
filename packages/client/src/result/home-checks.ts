import type { Check, ReceiptBody } from '@sealpool/attest'
import type { Address, Digest, JsonObject, JsonValue } from '@sealpool/crypto'
import { zeroHash } from 'viem'
import { type JobHomes, lower } from './job-homes.js'

/** What is asked of a receipt over pools of several homes, besides what is asked of every receipt. */
const titles = {
  'homes-signed': 'Each other home has signed for its pools, or its refusal, as the receipt says',
  'homes-keys': 'Each pool’s key on chain is that of the home that signed for it',
  'homes-listed': 'The registry lists each other home, not expired, with the key set that the receipt names',
  'homes-measured': 'What each other home runs is allowed on chain and what its pools demand',
  'charges-on-chain': 'The chain recorded the budget of every pool as the receipt has it',
  'result-on-chain': 'The chain recorded the result that the receipt names',
} as const

/** What the chain recorded at a job's release. */
export interface RecordedRelease {
  readonly result: Digest
  /** Of the budgets after the job, in the order of its pools. */
  readonly budgetHeads: readonly Digest[]
}

type Answer = Pick<Check, 'result' | 'detail'>

/**
 * The checks of a receipt over pools of several homes. They follow what one verifier can: a home's own quote is not among what a job
 * leaves behind, so that what a home ran is what the registry took for its registration.
 *
 * @param options - the receipt, what came with it, and what the chain shows
 * @param options.signer who signed the receipt
 * @param options.shares what the homes have signed, as the node gave it; undefined: it gave nothing
 * @param options.charge attest's `charge` check of the receipt with these shares
 * @param options.homes what the chain shows of homes and pools
 * @param options.released what the chain recorded; undefined unless it recorded a release
 * @returns one check for each of the titles
 */
export function homeChecks(options: {
  readonly body: ReceiptBody
  readonly signer: Address
  readonly shares: readonly JsonObject[] | undefined
  readonly charge: Answer
  readonly homes: JobHomes | undefined
  readonly released: RecordedRelease | undefined
}): readonly Check[] {
  const { body, shares, charge, homes, released } = options
  const signed: Answer =
    shares === undefined ? notChecked('The node did not tell what the homes have signed.') : charge
  const asked = (ask: (homes: JobHomes) => string | undefined, fine: string): Answer => {
    if (homes === undefined) return notChecked('The chain was not asked about the homes.')
    const problem = ask(homes)
    return problem === undefined ? { result: 'pass', detail: fine } : { result: 'fail', detail: problem }
  }
  const others = [...(body.homes ?? []), ...(body.refusedBy === undefined ? [] : [body.refusedBy])]
  const names = others.length === 0 ? 'There is no other home.' : others.map(({ node }) => node).join(', ')
  // Whose pools are whose follows from what was signed: it counts for nothing while that does not hold.
  const owners = signed.result === 'pass' ? poolsOf(body, lower(options.signer), shares ?? []) : undefined
  const owned = (ask: (homes: JobHomes, owners: PoolOwners) => string | undefined, fine: string): Answer =>
    owners === undefined ? notChecked('Rests on "homes-signed".') : asked((known) => ask(known, owners), fine)
  const answers: Record<keyof typeof titles, Answer> = {
    'homes-signed': signed,
    'homes-keys': owned((known, of) => keysProblem(body, known, of), 'They agree.'),
    'homes-listed': asked((known) => first(others, (home) => listedProblem(home, known)), names),
    'homes-measured': owned(
      (known, of) => first(others, ({ node }) => measuredProblem(lower(node), known, of)),
      names,
    ),
    'charges-on-chain': recordedAnswer(body, released, ({ budgetHeads }) => {
      const heads = body.pools.map(({ budget }) => budget?.after.head)
      return heads.join() === budgetHeads.join() ? undefined : 'the chain recorded other charges'
    }),
    'result-on-chain': recordedAnswer(body, released, ({ result }) =>
      body.result?.digest === result ? undefined : 'the chain recorded another result',
    ),
  }
  return Object.entries(titles).map(([id, title]) => {
    const { result, detail } = answers[id as keyof typeof titles]
    return { id, title, result, detail }
  })
}

/** The home of each pool of a receipt. */
type PoolOwners = ReadonlyMap<Address, Address>

function notChecked(detail: string): Answer {
  return { result: 'not-checked', detail }
}

function first<T>(all: readonly T[], problemOf: (one: T) => string | undefined): string | undefined {
  return all.map(problemOf).find((problem) => problem !== undefined)
}

/** Only a release records them; who was refused has nothing there that could differ. */
function recordedAnswer(
  body: ReceiptBody,
  released: RecordedRelease | undefined,
  problemOf: (released: RecordedRelease) => string | undefined,
): Answer {
  if (body.outcome === 'refused') return { result: 'pass', detail: 'The job was refused.' }
  if (released === undefined) return notChecked('The chain has no release of this job.')
  const problem = problemOf(released)
  return problem === undefined
    ? { result: 'pass', detail: 'They agree.' }
    : { result: 'fail', detail: problem }
}

function poolsOf(body: ReceiptBody, signer: Address, shares: readonly JsonObject[]): PoolOwners {
  const owners = new Map(body.pools.map(({ pool }) => [lower(pool), signer]))
  for (const share of shares) {
    const statement = share['statement'] as JsonObject
    if (statement['type'] !== 'sealpool/share') continue
    const pools = (statement['body'] as JsonObject)['pools'] as readonly JsonValue[]
    for (const pool of pools) {
      owners.set(lower((pool as { readonly pool: Address }).pool), lower(share['signer'] as Address))
    }
  }
  return owners
}

function keysProblem(body: ReceiptBody, homes: JobHomes, owners: PoolOwners): string | undefined {
  const { refusedBy } = body
  if (refusedBy !== undefined) {
    const isHome = [...homes.pools.values()].some(({ node }) => node === lower(refusedBy.node))
    // Else anybody whom the registry lists could have refused, and the node that signed the receipt not have asked the home.
    if (!isHome) return `${refusedBy.node} refused, and no pool of the job has its key`
  }
  return first(body.pools, ({ pool, epoch, name }) => {
    const shown = homes.pools.get(lower(pool))
    if (shown === undefined) return `the chain tells nothing of pool ${name}`
    // Asked at another block than the job's end (see `readJobHomes`), the chain tells of another key: the home cannot be judged by it.
    if (shown.epoch !== epoch)
      return `pool ${name} has key epoch ${shown.epoch} on chain, the receipt ${epoch}`
    return shown.node === owners.get(lower(pool))
      ? undefined
      : `the key of pool ${name} is that of ${shown.node}`
  })
}

function listedProblem(
  { node, keySet }: { readonly node: Address; readonly keySet: Digest },
  homes: JobHomes,
): string | undefined {
  const record = homes.nodes.get(lower(node))
  if (record === undefined || record.keySet !== keySet)
    return `${node} is registered with another key set, or not`
  if (record.revoked) return `${node} was revoked`
  return record.expired ? `the registration of ${node} had run out when the job ended` : undefined
}

function measuredProblem(node: Address, homes: JobHomes, owners: PoolOwners): string | undefined {
  const record = homes.nodes.get(node)
  if (record?.allowed !== true) return `the registry does not allow what ${node} runs`
  const own = [...owners].filter(([, owner]) => owner === node)
  return first(own, ([pool]) => {
    const demanded = homes.pools.get(pool)?.measurement
    return demanded === zeroHash || demanded === record.measurement
      ? undefined
      : `pool ${pool} demands that its nodes run something else than ${node} does`
  })
}
