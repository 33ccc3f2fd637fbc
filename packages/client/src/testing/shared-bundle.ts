import { type ReceiptBody, verdictsRoot } from '@sealpool/attest'
import {
  type Address,
  addressOf,
  type Digest,
  digestOf,
  digestToHex,
  type JsonObject,
  signStatement,
  statementDigest,
} from '@sealpool/crypto'
import { zeroHash } from 'viem'
import type { RecordedRelease } from '../result/home-checks.js'
import type { JobHomes } from '../result/job-homes.js'
import { receiptBundle, usualJob } from './receipt-bundle.js'
import { deployment, measurement, node, policyWith, pool } from './simulated-pool.js'

const homeKey = new Uint8Array(32).fill(5)
/** The other home, its pool and that one's policy. */
export const home = {
  node: addressOf(homeKey),
  keySet: digestOf('the other home’s keys'),
  quote: digestOf('its quote'),
  pool: '0x00000000000000000000000000000000000000bb' as Address,
}
const homePolicy = policyWith(undefined, 'more')
const homeVerdicts = [digestOf('verdict 3')]

/** What tests change of what the other home signs. */
export interface HomesWord {
  readonly body?: JsonObject
  readonly key?: Uint8Array
}

function signed(type: string, body: JsonObject, key: Uint8Array) {
  return signStatement({
    statement: { type, version: 1, body },
    context: {
      chainId: deployment.chainId,
      registry: deployment.nodeRegistry.toLowerCase() as Address,
      pool: home.pool,
      subject: `0x${'00'.repeat(31)}07`,
      nonce: '0',
      facts: [],
    },
    privateKey: key,
  })
}

/** What job 7 over the pools of two homes leaves behind; `word` edits what the other home signs, `change` the receipt. */
export function sharedBundle(
  word: HomesWord = {},
  change: (body: ReceiptBody) => ReceiptBody = (body) => body,
  refused = false,
) {
  const job = usualJob()
  const own = pool.toLowerCase() as Address
  const charge = { epsilon: 0.75, delta: 1e-7 }
  const plan: JsonObject = {
    steps: ['noise'],
    pools: [own, home.pool].map((address) => ({ address, charge })),
  }
  const manifest: JsonObject = {
    ...job.manifest,
    pools: [
      { address: own, name: 'pay' },
      { address: home.pool, name: 'more' },
    ],
  }
  let theirs: ReturnType<typeof signed> | undefined
  const made = receiptBundle(
    (body) => {
      const [first] = body.pools
      if (first === undefined) throw new Error('the fixture has a pool')
      const second = {
        ...first,
        pool: home.pool,
        name: 'more',
        policy: digestOf(homePolicy),
        inputs: { root: digestOf('inputs 2'), count: 1 },
        verdicts: verdictsRoot(homeVerdicts),
      }
      const about = {
        job: body.job.id,
        manifest: body.job.manifest,
        plan: digestOf(plan),
        coordinator: node.keySet.statement.address,
        keySet: home.keySet,
        quote: home.quote,
      }
      const key = word.key ?? homeKey
      if (refused) {
        const why = { reason: 'BUDGET_EXHAUSTED', charged: false }
        theirs = signed('sealpool/share-refusal', { ...about, step: 'look', ...why, ...word.body }, key)
        const refusal = statementDigest(theirs.statement)
        return change({
          ...body,
          outcome: 'refused',
          refusal: { code: 'BUDGET_EXHAUSTED', message: 'x' },
          result: null,
          pools: [{ ...first, budget: null }],
          refusedBy: { node: home.node, keySet: home.keySet, quote: home.quote, ...why, refusal },
        })
      }
      const share = { ...about, coordinatorKeys: body.keySet, pools: [second], ...word.body }
      theirs = signed('sealpool/share', share as JsonObject, key)
      return change({
        ...body,
        pools: [first, second],
        approvals: [...body.approvals, { pool: home.pool, block: '12', price: '50' }],
        homes: [
          {
            node: home.node,
            keySet: home.keySet,
            quote: home.quote,
            share: statementDigest(theirs.statement),
          },
        ],
      })
    },
    { ...job, manifest, plan },
  )
  if (theirs === undefined) throw new Error('the other home has signed')
  const shares = [JSON.parse(JSON.stringify(theirs)) as JsonObject]
  if (refused) return { ...made, shares }
  const bundle = {
    ...made.bundle,
    policies: { ...made.bundle.policies, [home.pool]: homePolicy },
    verdicts: { ...made.bundle.verdicts, [home.pool]: homeVerdicts },
  }
  return { ...made, bundle, shares }
}

const heads: readonly Digest[] = [digestOf('head 4'), digestOf('head 4')]

/** What the chain recorded of it. */
export const recordedRelease: RecordedRelease = { result: digestOf({ rows: [[9.02]] }), budgetHeads: heads }

/** What the chain shows of homes and pools. */
export const homesOnChain: JobHomes = {
  block: 1n,
  nodes: new Map([
    [home.node, { keySet: home.keySet, measurement, revoked: false, expired: false, allowed: true }],
  ]),
  pools: new Map([
    [pool.toLowerCase() as Address, { measurement: zeroHash, epoch: 1, node: node.keySet.statement.address }],
    [home.pool, { measurement, epoch: 1, node: home.node }],
  ]),
}

/** The same for `memoryChain`. */
export const chainWithHome = {
  home: { node: home.node, keySetDigest: digestToHex(home.keySet), pool: home.pool },
  budgetHeads: heads.map(digestToHex),
}
