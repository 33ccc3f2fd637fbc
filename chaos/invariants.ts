/**
 * What must hold after every fault. Each check reads facts only, so that its test can plant what it must find.
 * @module
 */
import type { Facts } from './facts.js'

/** What was checked, and everything that does not hold. */
export interface InvariantResult {
  readonly name: string
  /** How many things were looked at: a check on nothing proves nothing. */
  readonly checked: number
  readonly breaches: readonly string[]
}

type Check = (facts: Facts) => { readonly checked: number; readonly breaches: readonly string[] }

/** Accepted on the chain, and everything after it. */
const endStates = ['Accepted', 'Refused', 'Withdrawn', 'Superseded', 'Erased']
const ended = ['Settled', 'Refused', 'Failed', 'Cancelled', 'Expired']

function counted<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}

const noContributionLost: Check = ({ sent, chain, store }) => {
  const onChain = new Map(chain.contributions.map((one) => [one.id, one]))
  const inStore = new Map(store.contributions.map((one) => [one.id, one]))
  const breaches: string[] = []
  for (const { id, mayBeRefused } of sent) {
    const [there, here] = [onChain.get(id), inStore.get(id)]
    if (there === undefined) breaches.push(`contribution ${id} was sent and is not on the chain`)
    else if (!endStates.includes(there.state)) breaches.push(`contribution ${id} is still ${there.state}`)
    if (here === undefined) breaches.push(`contribution ${id} is unknown to the node`)
    else if (here.state === 'refused' && !mayBeRefused.includes(here.reason ?? '')) {
      breaches.push(`contribution ${id} was refused with ${here.reason}`)
    }
  }
  for (const { id } of chain.contributions) {
    if (!inStore.has(id)) breaches.push(`contribution ${id} of the chain is unknown to the node`)
  }
  return { checked: sent.length, breaches }
}

const sameContributions: Check = ({ chain, store }) => {
  const onChain = new Map(chain.contributions.map((one) => [one.id, one]))
  const breaches: string[] = []
  for (const { id, pool, state } of store.contributions) {
    const there = onChain.get(id)
    if (state === 'detached') continue
    if (there === undefined) breaches.push(`contribution ${id} of the node is not on the chain`)
    else if (there.pool !== pool) breaches.push(`contribution ${id} is in another pool on the chain`)
    else {
      const expected = state === 'refined' ? 'Accepted' : state === 'refused' ? 'Refused' : null
      if (expected === null) breaches.push(`contribution ${id} has come no further than ${state}`)
      else if (expected !== there.state)
        breaches.push(`contribution ${id} is ${state} in the store and ${there.state} on the chain`)
    }
  }
  return { checked: store.contributions.length, breaches }
}

const oneVerdict: Check = ({ chain }) => {
  const breaches: string[] = []
  const counts = counted(chain.verdicts, ({ id }) => id)
  for (const [id, count] of counts) {
    if (count > 1) breaches.push(`contribution ${id} has ${count} verdicts`)
  }
  for (const { id, state } of chain.contributions) {
    if ((state === 'Accepted' || state === 'Refused') && !counts.has(id)) {
      breaches.push(`contribution ${id} is ${state} without a verdict`)
    }
  }
  return { checked: chain.verdicts.length, breaches }
}

const oneReward: Check = ({ chain, rewardEach }) => {
  const accepted = chain.contributions.filter(({ state }) => state === 'Accepted')
  const due = counted(accepted, ({ pool, owner }) => `${pool} ${owner}`)
  const breaches: string[] = []
  for (const { pool, owner, balance } of chain.balances) {
    const expected = BigInt(due.get(`${pool} ${owner}`) ?? 0) * BigInt(rewardEach)
    due.delete(`${pool} ${owner}`)
    if (BigInt(balance) !== expected) {
      breaches.push(`owner ${owner} holds ${balance} of pool ${pool} and should hold ${expected}`)
    }
  }
  for (const owner of due.keys()) breaches.push(`the balance of ${owner} was not read`)
  return { checked: accepted.length, breaches }
}

const everyJobEnds: Check = ({ paid, chain }) => {
  const jobs = new Map(chain.jobs.map((job) => [job.id, job]))
  const breaches: string[] = []
  for (const id of paid) {
    const state = jobs.get(id)?.state
    if (state === undefined) breaches.push(`job ${id} was paid and is not on the chain`)
    else if (!ended.includes(state)) breaches.push(`job ${id} was paid and is still ${state}`)
  }
  return { checked: paid.length, breaches }
}

const oneRelease: Check = ({ chain, store }) => {
  const breaches: string[] = []
  for (const { id, state, released, settled, refunded } of chain.jobs) {
    const wanted = state === 'Settled' ? 1 : 0
    if (released > 1 || (state === 'Settled' && released !== 1)) {
      breaches.push(`job ${id} is ${state} with ${released} releases`)
    }
    if (settled !== wanted) breaches.push(`job ${id} is ${state} and was settled ${settled} times`)
    if (refunded > 1 || (refunded > 0 && settled > 0))
      breaches.push(`job ${id} was refunded ${refunded} times and settled ${settled} times`)
  }
  const answers = store.receipts.filter(({ outcome }) => outcome === 'released')
  for (const [job, count] of counted(answers, (receipt) => receipt.job)) {
    if (count > 1) breaches.push(`job ${job} has ${count} receipts of a release`)
  }
  return { checked: chain.jobs.length, breaches }
}

const sameReceipts: Check = ({ chain, store }) => {
  const kept = new Set(store.receipts.map(({ job, digest }) => `${job} ${digest}`))
  const released = chain.jobs.filter(({ receipt }) => receipt !== null)
  return {
    checked: released.length,
    breaches: released
      .filter(({ id, receipt }) => !kept.has(`${id} ${receipt}`))
      .map(({ id }) => `job ${id} was released under a receipt that the node does not have`),
  }
}

const onePayment: Check = ({ chain }) => {
  const due = chain.jobs
    .filter(({ refunded, state }) => refunded === 0 && (state === 'Settled' || state === 'Released'))
    .reduce((sum, { price }) => sum + BigInt(price), 0n)
  const breaches =
    due === BigInt(chain.consumerSpent)
      ? []
      : [`the consumer has paid ${chain.consumerSpent} for jobs that cost ${due}`]
  return { checked: chain.jobs.length, breaches }
}

const oneCharge: Check = ({ chain, store, reorganised }) => {
  const charges = store.ledger.filter(({ job }) => job !== null)
  const breaches: string[] = []
  for (const [key, count] of counted(charges, ({ pool, job }) => `job ${job} in pool ${pool}`)) {
    // After a reorganisation one number may have named two jobs; both were charged, and stay so.
    if (count > 1 && !reorganised) breaches.push(`${key} was charged ${count} times`)
  }
  const known = new Set(chain.jobs.map(({ id }) => id))
  for (const { job, pool } of charges) {
    if (!reorganised && job !== null && !known.has(job)) {
      breaches.push(`pool ${pool} was charged for job ${job}, which is not on the chain`)
    }
  }
  for (const pool of new Set(store.ledger.map((entry) => entry.pool))) {
    const entries = store.ledger.filter((entry) => entry.pool === pool).sort((a, b) => a.version - b.version)
    let spent = 0
    for (const [index, entry] of entries.entries()) {
      if (entry.version !== index) breaches.push(`the ledger of pool ${pool} has no version ${index}`)
      spent += Number(entry.epsilonCharged ?? 0)
      if (Math.abs(Number(entry.epsilonSpent) - spent) > 1e-9) {
        breaches.push(
          `version ${entry.version} of pool ${pool} says ${entry.epsilonSpent}, charges say ${spent}`,
        )
      }
    }
  }
  return { checked: charges.length, breaches }
}

const noResultUncharged: Check = ({ chain, store }) => {
  const charged = new Set(store.ledger.map(({ pool, job }) => `${pool} ${job}`))
  const newest = new Map(chain.anchors.map(({ pool, version }) => [pool, version]))
  const versions = new Map(store.ledger.map(({ pool, job, version }) => [`${pool} ${job}`, version]))
  const onChain = new Map(chain.jobs.map((job) => [job.id, job]))
  const breaches: string[] = []
  const results = store.jobs.filter(({ hasResult }) => hasResult).map(({ id }) => id)
  const released = chain.jobs.filter((job) => job.released > 0).map(({ id }) => id)
  const answered = store.receipts.filter(({ outcome }) => outcome === 'released').map(({ job }) => job)
  const all = new Set([...results, ...released, ...answered])
  for (const id of all) {
    for (const pool of onChain.get(id)?.pools ?? []) {
      if (!charged.has(`${pool} ${id}`)) {
        breaches.push(`job ${id} has a result, and pool ${pool} was not charged for it`)
      } else if ((onChain.get(id)?.released ?? 0) > 0) {
        const [anchored, version] = [newest.get(pool) ?? 0, versions.get(`${pool} ${id}`) ?? 0]
        if (anchored < version)
          breaches.push(`job ${id} is released, and its charge (version ${version}) is not on the chain`)
      }
    }
  }
  return { checked: all.size, breaches }
}

const sameJobs: Check = ({ chain, store, reorganised }) => {
  const known = new Map(store.jobs.map((job) => [job.id, job]))
  const breaches: string[] = []
  const expected: Readonly<Record<string, readonly string[]>> = {
    Settled: ['settled'],
    Refused: ['refused', 'closed'],
    Failed: ['closed', 'refused'],
    Cancelled: ['closed', 'seen'],
    Expired: ['closed', 'seen'],
    Proposed: ['seen', 'closed'],
    Approved: ['seen', 'closed'],
  }
  for (const { id, state } of chain.jobs) {
    const job = known.get(id)
    if (job === undefined) breaches.push(`job ${id} of the chain is unknown to the node`)
    else if (!(expected[state] ?? []).includes(job.state)) {
      breaches.push(`job ${id} is ${state} on the chain and ${job.state} (${job.reason}) in the store`)
    }
  }
  for (const { pool, version } of chain.anchors) {
    const newest = Math.max(-1, ...store.ledger.filter((one) => one.pool === pool).map((one) => one.version))
    if (version > newest || (!reorganised && version !== Math.max(newest, 0))) {
      breaches.push(`pool ${pool}: version ${version} is anchored and the ledger ends at ${newest}`)
    }
  }
  return { checked: chain.jobs.length, breaches }
}

const checks: Readonly<Record<string, Check>> = {
  'no contribution lost': noContributionLost,
  'contributions of chain and store equal': sameContributions,
  'one verdict for each contribution': oneVerdict,
  'one reward for each accepted contribution': oneReward,
  'every paid job comes to an end': everyJobEnds,
  'no job released or settled twice': oneRelease,
  'receipts of chain and store equal': sameReceipts,
  'no job paid twice': onePayment,
  'no charge twice, ledgers add up': oneCharge,
  'no result without a charge': noResultUncharged,
  'jobs and anchors of chain and store equal': sameJobs,
}

/** Checks everything. @returns one result for each invariant, in a fixed order */
export function checkInvariants(facts: Facts): InvariantResult[] {
  return Object.entries(checks).map(([name, check]) => ({ name, ...check(facts) }))
}
