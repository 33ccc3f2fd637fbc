/**
 * Why a job is not run. The texts are fixed: chosen by request, policy, chain and budget, never by the data.
 * @module
 */

import { chargedRefusals, type ReceiptPool } from '@sealpool/attest'
import type { Address } from '@sealpool/crypto'
import type { GivenRefusal } from '../federation/refusal-statement.js'

const texts = {
  JOB_NOT_APPROVED: 'not every pool of the job has approved it by vote; win the votes first',
  JOB_NOT_FUNDED: 'the job is approved and not paid; fund it first',
  JOB_CLOSED: 'the job has ended on the chain; propose it again',
  POOL_NOT_SERVED: 'this node does not serve every pool of the job; ask a node that does',
  MANIFEST_MISSING:
    'the blob store has no manifest under the locator of the job; upload it and propose again',
  MANIFEST_DIGEST_MISMATCH: 'the manifest is not the one whose digest the pools approved; upload that one',
  MANIFEST_INVALID: 'the manifest is not a job manifest in canonical form; write it with the client',
  MANIFEST_POOLS_DIFFER:
    'the manifest names other pools than the job on the chain; propose it for its own pools',
  MANIFEST_CONSUMER_DIFFERS:
    'the manifest names another consumer than the job on the chain; its consumer must propose it',
  POOL_STOPPED: 'a pool of the job has stopped every use of its data; ask its members',
  JOB_NUMBER_REUSED:
    'a reorganisation of the chain gave this number to another job that the node had answered; propose the job again',
  POOL_NOT_USED: 'the job names a pool that it does not read; name only the pools that it needs',
  DECLARATION_DIFFERS:
    'the job was proposed with the digest of another scope or code than its manifest has; propose it with those of its plan',
  PURPOSE_NOT_ALLOWED: 'a pool of the job does not allow this purpose; use one that its policy lists',
  VIEW_NOT_ALLOWED:
    'a pool of the job does not let a recipient have the view that the manifest gives it; give less, or ask its members',
  VIEW_COLUMN_UNKNOWN:
    'a view names a column that the answer does not have exactly once; name columns as the answer has them',
  ACCESS_DENIED:
    'the consumer does not meet the access condition of a pool of the job; ask the chain which part of it is missing (sealpool access)',
  ACCESS_UNKNOWN:
    'what an access condition of a pool hangs on cannot be told, so that nobody is let in by it: a contract does not answer as its standard says, or the consumer has presented no credential to this node that counts now; see which (sealpool access), present the credential or ask the pool’s members',
  CREDENTIAL_NOT_HANDED_OFF:
    'a pool of the job asks for a credential, which is presented to its home and to no runner; propose the job without handOff',
  COMPUTATION_NOT_ALLOWED: 'a pool of the job does not allow this computation; use one that its policy lists',
  HAND_OFF_NOT_SERVED:
    'the job is to run on another node and this one knows none; ask its operator, or allow it to run here (fallback)',
  SHARDS_NOT_SERVED:
    'the job is to be dealt to more nodes than this node knows; ask its operator, or propose it with fewer shards',
  GPUS_NOT_JUDGED:
    'the job demands GPUs of the node that runs it, and this node has no rules to judge any by; ask its operator, or propose it without handOff.gpu',
  HAND_OFF_OVER:
    'the time until which the job may be handed off is over; propose it again with a later end, or allow it to run here (fallback)',
  HAND_OFF_PAST_DEADLINE:
    'the job may be handed off until its deadline or later, so that it could end without an answer; propose it again with an earlier end of the hand-off',
  JOB_NOT_DIVISIBLE:
    'the pools of the job have several homes, and a computation is fitted to rows, which leave none; ask a query',
  HAND_OFF_NOT_SHARED: 'a job over pools of several homes is not handed off; propose it without handOff',
  HOME_NOT_ATTESTED:
    'the home of a pool of the job is not what the pools ask for, or not among the nodes of the settings; ask its operator',
  HOME_SILENT: 'the home of a pool of the job did not answer in time; propose it again later',
  HOME_REFUSED: 'the home of a pool of the job refused it; ask its operator',
  PROGRAMS_NOT_SERVED:
    'this node runs no programs, or none for this runtime; ask its operator, or write the program for a runtime that its settings name',
  PROGRAM_MISSING:
    'the pool’s blob store has no program under the digest of the parameters; upload it (sealpool program) and propose again',
  PROGRAM_DIGEST_MISMATCH:
    'what the blob store gives is not the program whose digest the parameters name; upload that one',
  PROGRAM_TOO_LARGE: 'the program is larger than 8 MiB, or than this node fetches; make it smaller',
  PROGRAM_LIMITS:
    'a limit of the program is outside of what its runtime takes: 1 MiB to 1 GiB of memory, 1 to 600,000 milliseconds',
  PROGRAM_PAST_DEADLINE:
    'the program may take longer than until the deadline of the job; give it fewer runs or less time, or propose it with a later deadline',
  TOO_FEW_CONTRIBUTORS: 'a pool has fewer accepted contributors than its policy asks for; wait for more',
  BUDGET_EXHAUSTED:
    'a pool has less privacy budget left than the job needs; ask for less or use another pool',
  TOO_FEW_CONTRIBUTORS_AFTER_NOISE:
    'a noisy count of the contributors is below what the policy asks for; it was charged, because the count was looked at',
  SOURCES_AWAY:
    'the node was restarted after the charge, and the owners’ stores of a live pool did not give all that the job had reserved; it was charged, ask again',
  PROGRAM_INTERRUPTED:
    'the node was stopped between the charge of a program and its answer; it was charged and is not run again, because a second run could give a second answer; ask again',
  EXECUTION_FAILED:
    'the job did not come to an end within its limits; it was charged, because a failure tells something too',
} as const

/** Reasons that the node itself gives; those of `chargedRefusals` are of jobs that have looked at data, as their receipts' verification expects. planners add theirs. */
export type NodeRefusalCode = keyof typeof texts

const accessRefusals: readonly string[] = ['ACCESS_DENIED', 'ACCESS_UNKNOWN'] satisfies NodeRefusalCode[]

/** A refusal on its way to a signed receipt. */
export class JobRefusal extends Error {
  override readonly name = 'JobRefusal'
  readonly code: string
  /** Text for the receipt: public. */
  readonly text: string
  /** True when the job has looked at data and must be charged all the same. */
  readonly charged: boolean
  /** What another home of the job has signed to refuse it; the receipt names it. */
  readonly home: GivenRefusal | undefined
  /** What the pools' access conditions came to, when it is for them. */
  readonly access: ReadonlyMap<Address, NonNullable<ReceiptPool['access']>>

  private constructor(
    code: string,
    text: string,
    options: {
      readonly cause?: unknown
      readonly charged: boolean
      readonly home?: GivenRefusal | undefined
      readonly access?: JobRefusal['access']
    },
  ) {
    super(`${code}: ${text}`, { cause: options.cause })
    this.code = code
    this.text = text
    this.charged = options.charged
    this.home = options.home
    this.access = options.access ?? new Map()
  }

  /** A refusal for one of the node's own reasons. */
  static of(code: NodeRefusalCode, cause?: unknown): JobRefusal {
    return new JobRefusal(code, texts[code], { cause, charged: chargedRefusals.includes(code) })
  }

  /** A refusal for want of access, with what the conditions came to. */
  static forAccess(code: 'ACCESS_DENIED' | 'ACCESS_UNKNOWN', access: JobRefusal['access']): JobRefusal {
    return new JobRefusal(code, texts[code], { charged: false, access })
  }

  /** A refusal of another home of a job: its own reason where the node itself gives it without having looked at data. */
  static ofHome(home: GivenRefusal): JobRefusal {
    const { reason } = home.body
    const known = Object.hasOwn(texts, reason) && !chargedRefusals.includes(reason)
    const code = known ? (reason as NodeRefusalCode) : 'HOME_REFUSED'
    return new JobRefusal(code, texts[code], { charged: false, home })
  }

  /** The same end of a job that had been charged before: why it came may then depend on data. */
  afterCharge(): JobRefusal {
    if (this.charged) return this
    const code = 'EXECUTION_FAILED'
    return new JobRefusal(code, texts[code], { cause: this, charged: true, home: this.home })
  }

  /**
   * The same refusal as a receipt over these pools shows it: one for want of access names a condition that was not met, and conditions of
   * another home's pools are in no receipt of this node.
   */
  shownOver(pools: readonly Address[]): JobRefusal {
    if (!accessRefusals.includes(this.code)) return this
    const judged = pools.flatMap((pool) => this.access.get(pool)?.conditions ?? [])
    if (judged.some(({ verdict }) => verdict !== 'yes')) return this
    const code = 'HOME_REFUSED'
    return new JobRefusal(code, texts[code], { cause: this, charged: false, home: this.home })
  }

  /** A refusal that a planner gave; its texts depend on request, policy and schema only. */
  static fromPlanner(error: { readonly code: string; readonly message: string }): JobRefusal {
    return new JobRefusal(error.code, error.message, { cause: error, charged: false })
  }
}

/** The job cannot be decided now: something outside is away. */
export class JobPutOff extends Error {
  override readonly name = 'JobPutOff'
  readonly code: string
  readonly text: string
  /** Seconds until it is looked at again; absent: later each time. */
  readonly retryAfter: number | undefined

  /** @param code why, @param text for status pages, @param retryAfter seconds until it is looked at again */
  constructor(code: string, text: string, cause?: unknown, retryAfter?: number) {
    super(`${code}: ${text}`, { cause })
    this.code = code
    this.text = text
    this.retryAfter = retryAfter
  }
}
