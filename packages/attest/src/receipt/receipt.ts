import type { Address, Digest, Hex, SignedStatement } from '@sealpool/crypto'
import { type GpuLimit, gpuLimitNames } from '../gpu/gpu-limits.js'
import {
  digestText,
  flag,
  integer,
  isoText,
  list,
  nullable,
  oneOf,
  optional,
  type Reader,
  record,
  type Schema,
  schema,
  text,
} from '../shape/shape.js'
import { type ResultView, resultView } from './result-view.js'

/** A pool's budget as a receipt shows it; amounts are decimal text. */
export type BudgetView = {
  epsilonSpent: string
  epsilonTotal: string
  deltaSpent: string
  deltaTotal: string
  version: number
  head: string
}

/** What a job did with one pool. */
export type ReceiptPool = {
  pool: Address
  name: string
  /** Digest of the pool's policy. */
  policy: Digest
  /** Key epoch. */
  epoch: number
  /** The contributions that were read. */
  inputs: { root: Digest; count: number }
  /** Merkle root of the digests of their verdicts, see `verdictsRoot`. */
  verdicts: Digest
  /**
   * What the pool's access conditions came to for the consumer, before the job was charged: read at one block; that of the policy first,
   * then those of restrictions, each named by the digest of its rules. Absent: there are none, or the job was refused before.
   */
  access?: {
    /** Number and hash of the block. */
    block: string
    hash: Hex
    conditions: { rules: Digest; verdict: 'yes' | 'no' | 'unknown' }[]
  }
  /**
   * The pool is live: its node keeps no rows and no copies, and the inputs are of the contributions alone that their owners' stores gave for this
   * job; `leftOut` of the accepted ones were not to be had. Absent: the pool keeps them, or nothing was fetched before the job was refused.
   */
  live?: { leftOut: number }
  /**
   * The pool says which texts its contributors must have agreed to; `withheld` of the accepted contributions are in no input, because their
   * owners agreed to another one. Absent: any text counts.
   */
  consent?: { withheld: number }
  /** Null when nothing was charged because the job was refused. */
  budget: {
    before: BudgetView
    after: BudgetView
    charged: { epsilon: string; delta: string }
  } | null
}

/** What the signing node was shown of the GPUs of a node before it gave that node anything, and found good enough. */
export type AppraisedGpus = {
  /** As the guest had recorded it in its measured event log. */
  confidentialComputing: 'on'
  developerTools: 'off'
  /** How many GPUs. */
  devices: number
  /** Digest of the platform policy by which they were judged, see `platformPolicyDigest`. */
  policy: Digest
  /** What such evidence does not prove, by names of `gpuLimitTexts`. */
  limits: GpuLimit[]
}

/** What one recipient got of a result: `sealed` is null for whoever got the receipt alone. */
export type RecipientView = { recipient: Address; view: ResultView; sealed: Digest | null }

/**
 * A key that was made for one job alone. `live-tables`: of what was fetched of a live pool; `hand-off`: what the keys follow from under which
 * another node was given its tables and sealed its answer; `result`: of one sealed copy of the result.
 */
export type DestroyedKey = {
  use: 'live-tables' | 'hand-off' | 'result'
  /**
   * Of `result` the digest of the sealed copy; else HMAC-SHA-256 of the canonical JSON of `{ job, use }` under the key itself, in the domain
   * `sealpool/job-key/1`: whoever has the key can tell that it is this one, and nobody learns anything of it.
   */
  id: Digest
}

/** What a node states about one job: the body of a `sealpool/receipt` statement of version 1. */
export type ReceiptBody = {
  job: { id: string; kind: 'query' | 'compute'; manifest: Digest; consumer: Address }
  outcome: 'released' | 'refused'
  refusal: { code: string; message: string } | null
  pools: ReceiptPool[]
  /** Digest of the computation's code; null for a query, whose plan is its code. */
  code: Digest | null
  plan: Digest | null
  approvals: { pool: Address; block: string; price: string }[]
  result: {
    /** Of the opened bytes; where `views` are there, what all of them are committed to under. */
    digest: Digest
    /** Of the sealed bytes; where `views` are there, of the canonical list of their `sealed`. */
    sealed: Digest
    mediaType: string
    /** Who got which view, the consumer first, with the digest of the copy that was sealed to each; absent: the consumer got the whole. */
    views?: RecipientView[]
  } | null
  keySet: Digest
  /** SHA-256 of the quote's bytes. */
  quote: Digest
  /** How the job's code was isolated, for example `bubblewrap`; on the node that ran it. */
  isolation: string
  /**
   * The attested node that ran the job for the one that signs, and the digest of its signed word on that (`sealpool/work`, its
   * parent in the chain of receipts); absent: the signing node ran it. `gpu` is there where the manifest demands GPUs.
   */
  handOff?: { node: Address; keySet: Digest; work: Digest; gpu?: AppraisedGpus }
  /**
   * The attested nodes to which the job's contributors were dealt, in the order of their shards, each another one, with the digest of its
   * signed word on its share (`sealpool/work`, parents in the chain of receipts); null: it was lost, and had given no share when the job
   * was refused. Absent: the job was dealt to nobody; of a refused one perhaps to somebody, when an owner's withdrawal had ended that before.
   */
  shards?: { node: Address; keySet: Digest; work: Digest | null; gpu?: AppraisedGpus }[]
  /**
   * The other homes of the job's pools, each with the digest of its signed word on its share (`sealpool/share`, parents in the chain
   * of receipts), which names its pools; absent: all pools are the signing node's.
   */
  homes?: { node: Address; keySet: Digest; quote: Digest; share: Digest }[]
  /**
   * Pools of other homes that had given no share when the job was refused after the signing node's charge: whether they were charged,
   * their homes know; absent: every pool of the plan is among `pools`.
   */
  unanswered?: Address[]
  /**
   * The other home that refused the job, with its reason as it signed for it and whether it had charged its pools then, and the digest
   * of that word (`sealpool/share-refusal`); absent: no home refused, and one that did not answer has signed nothing.
   */
  refusedBy?: {
    node: Address
    keySet: Digest
    quote: Digest
    reason: string
    charged: boolean
    refusal: Digest
  }
  /**
   * The keys that the signing node made for this job alone since it was last started, each overwritten in memory, where it lay and nowhere else, before
   * this was signed: what lay on a disk or travelled under one of them opens no more, for the node neither. An empty list: it made none, and nothing but
   * rows under the pool's own key was read. It is the node's word, worth what its attested code is worth: a copy that the runtime, a swapped page or a
   * breach has made is not destroyed by it. At most the last 200 beside those of the result. Absent: the receipt is of a release before this.
   */
  destroyedKeys?: DestroyedKey[]
  simulated: boolean
  /** ISO, chain time. */
  issuedAt: string
}

/** A receipt: a signed statement about one job. */
export type Receipt = SignedStatement

/** Type of a receipt statement. */
export const receiptType = 'sealpool/receipt'
/** Version of a receipt statement. */
export const receiptVersion = 1

const digest = digestText
const address: Reader<Address> = /* @__PURE__ */ text({
  pattern: /^0x[0-9a-fA-F]{40}$/,
  what: '0x and 40 hexadecimal digits',
})
const decimal = /* @__PURE__ */ text({
  max: 120,
  pattern: /^(?:0|[1-9][0-9]*)(?:\.[0-9]{1,60})?$/,
  what: 'a decimal number as text',
})
const wholeNumber = /* @__PURE__ */ text({
  pattern: /^(?:0|[1-9][0-9]{0,77})$/,
  what: 'a whole number as text',
})
const words = /* @__PURE__ */ text({ max: 4000 })
const name = /* @__PURE__ */ text({ min: 1, max: 200 })
const count = /* @__PURE__ */ integer(0)
const budgetView = /* @__PURE__ */ record<BudgetView>({
  epsilonSpent: decimal,
  epsilonTotal: decimal,
  deltaSpent: decimal,
  deltaTotal: decimal,
  version: count,
  head: words,
})
type Budget = NonNullable<ReceiptPool['budget']>
type Access = NonNullable<ReceiptPool['access']>
const blockHash: Reader<Hex> = /* @__PURE__ */ text({
  pattern: /^0x[0-9a-f]{64}$/,
  what: '0x and 64 lower-case hexadecimal digits',
})
const pool = /* @__PURE__ */ (() =>
  record<ReceiptPool>({
    pool: address,
    name: words,
    policy: digest,
    epoch: count,
    inputs: /* @__PURE__ */ record<ReceiptPool['inputs']>({ root: digest, count }),
    verdicts: digest,
    access: /* @__PURE__ */ optional(
      /* @__PURE__ */ record<Access>({
        block: wholeNumber,
        hash: blockHash,
        conditions: /* @__PURE__ */ list(
          /* @__PURE__ */ record<Access['conditions'][number]>({
            rules: digest,
            verdict: /* @__PURE__ */ oneOf(['yes', 'no', 'unknown']),
          }),
          { max: 100 },
        ),
      }),
    ),
    live: /* @__PURE__ */ optional(
      /* @__PURE__ */ record<NonNullable<ReceiptPool['live']>>({ leftOut: count }),
    ),
    consent: /* @__PURE__ */ optional(
      /* @__PURE__ */ record<NonNullable<ReceiptPool['consent']>>({ withheld: count }),
    ),
    budget: /* @__PURE__ */ nullable(
      /* @__PURE__ */ record<Budget>({
        before: budgetView,
        after: budgetView,
        charged: /* @__PURE__ */ record<Budget['charged']>({ epsilon: decimal, delta: decimal }),
      }),
    ),
  }))()

const gpu = /* @__PURE__ */ optional(
  /* @__PURE__ */ record<AppraisedGpus>({
    confidentialComputing: /* @__PURE__ */ oneOf(['on']),
    developerTools: /* @__PURE__ */ oneOf(['off']),
    devices: /* @__PURE__ */ integer(1, 64),
    policy: digest,
    limits: /* @__PURE__ */ list(/* @__PURE__ */ oneOf(gpuLimitNames), { min: 1, max: 16 }),
  }),
)

/** Schema of {@link ReceiptBody}; unknown fields are refused. */
export const receiptBodySchema: Schema<ReceiptBody> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'body',
    'Not a receipt',
    /* @__PURE__ */ record<ReceiptBody>({
      job: /* @__PURE__ */ record<ReceiptBody['job']>({
        id: name,
        kind: /* @__PURE__ */ oneOf(['query', 'compute']),
        manifest: digest,
        consumer: address,
      }),
      outcome: /* @__PURE__ */ oneOf(['released', 'refused']),
      refusal: /* @__PURE__ */ nullable(
        /* @__PURE__ */ record<NonNullable<ReceiptBody['refusal']>>({ code: name, message: words }),
      ),
      pools: /* @__PURE__ */ list(pool, { max: 100 }),
      code: /* @__PURE__ */ nullable(digest),
      plan: /* @__PURE__ */ nullable(digest),
      approvals: /* @__PURE__ */ list(
        /* @__PURE__ */ record<ReceiptBody['approvals'][number]>({
          pool: address,
          block: wholeNumber,
          price: wholeNumber,
        }),
        { max: 100 },
      ),
      result: /* @__PURE__ */ nullable(
        /* @__PURE__ */ record<NonNullable<ReceiptBody['result']>>({
          digest,
          sealed: digest,
          mediaType: words,
          views: /* @__PURE__ */ optional(
            /* @__PURE__ */ list(
              /* @__PURE__ */ record<RecipientView>({
                recipient: address,
                view: resultView,
                sealed: /* @__PURE__ */ nullable(digest),
              }),
              { min: 1, max: 16 },
            ),
          ),
        }),
      ),
      keySet: digest,
      quote: digest,
      isolation: words,
      handOff: /* @__PURE__ */ optional(
        /* @__PURE__ */ record<NonNullable<ReceiptBody['handOff']>>({
          node: address,
          keySet: digest,
          work: digest,
          gpu,
        }),
      ),
      shards: /* @__PURE__ */ optional(
        /* @__PURE__ */ list(
          /* @__PURE__ */ record<NonNullable<ReceiptBody['shards']>[number]>({
            node: address,
            keySet: digest,
            work: /* @__PURE__ */ nullable(digest),
            gpu,
          }),
          { min: 2, max: 16 },
        ),
      ),
      homes: /* @__PURE__ */ optional(
        /* @__PURE__ */ list(
          /* @__PURE__ */ record<NonNullable<ReceiptBody['homes']>[number]>({
            node: address,
            keySet: digest,
            quote: digest,
            share: digest,
          }),
          { max: 100 },
        ),
      ),
      unanswered: /* @__PURE__ */ optional(/* @__PURE__ */ list(address, { max: 100 })),
      refusedBy: /* @__PURE__ */ optional(
        /* @__PURE__ */ record<NonNullable<ReceiptBody['refusedBy']>>({
          node: address,
          keySet: digest,
          quote: digest,
          reason: name,
          charged: flag,
          refusal: digest,
        }),
      ),
      destroyedKeys: /* @__PURE__ */ optional(
        /* @__PURE__ */ list(
          /* @__PURE__ */ record<DestroyedKey>({
            use: /* @__PURE__ */ oneOf(['live-tables', 'hand-off', 'result']),
            id: digest,
          }),
          { max: 256 },
        ),
      ),
      simulated: flag,
      issuedAt: /* @__PURE__ */ isoText('time'),
    }),
  ))()
