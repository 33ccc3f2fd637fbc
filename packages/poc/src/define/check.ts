import type { AuthenticitySource } from '../authenticity/source.js'
import type { LabelReference } from '../screens/label-reference.js'

/** What a score is made of, each from 0 to 1. */
export type Dimension = 'authenticity' | 'ownership' | 'quality' | 'uniqueness'

/** What the host found about one declared source of authenticity. */
export interface AuthenticityFact {
  /** Kind of source, as declared. */
  readonly kind: AuthenticitySource['kind']
  /** Every part of the file is authentic or repeated, and there is one. */
  readonly authentic: boolean
  /** Name of the trusted key that signed, null when none did or several. */
  readonly signer: string | null
  /** For each part (message of a mailbox, else the one file), in order: whether it is authentic. A repeated one is not. */
  readonly parts: readonly boolean[]
  /** For each part: whether an earlier one says the same under a signature. Shares are counted without it. Absent when none is. */
  readonly repeated?: readonly boolean[]
  /** For mail, for each part: names of the header fields that the signature covers, in lower case; empty when it is not authentic. */
  readonly signedHeaders?: readonly (readonly string[])[]
}

/** Facts that the host found out, because they need a key, a wallet or the whole pool. */
export interface Facts {
  readonly uniqueness: {
    /** The pool holds a contribution with the same content. */
    readonly duplicate: boolean
    /**
     * How new the content is, 0 to 1, when the pool keeps an index of near duplicates: 1 less the greatest share of it that one
     * earlier contribution holds.
     */
    readonly novelty?: number
  }
  /** Present when the proof declares issuers or the caller checked a signature. */
  readonly issuer?: IssuerFact
  /** One for each source that the proof declares, in its order. */
  readonly authenticity?: readonly AuthenticityFact[]
  /** What the pool's register says about the account that the proof names, where it names one and the host keeps a register. */
  readonly account?: AccountFact
  /** What the pool's contributors call which kind of row, where the host keeps such a table; for `labelFlips`. */
  readonly labels?: LabelReference
  /** Unix seconds by which the host judges, the block's for example; absent when it does not say. For freshness. */
  readonly at?: number
  /** Wallet that contributes, `0x` and 40 digits in lower case. It must not get into a verdict. */
  readonly owner: string
}

/** Whether an account may contribute from this wallet; see `decideAccount`. */
export interface AccountFact {
  readonly accepted: boolean
  /** Wallet that holds the account, in lower case, when it is another one that counts as contributor. It must not get into a verdict. */
  readonly contributor?: string
}

/** Who signed an export, as far as that could be verified. */
export interface IssuerFact {
  /** Name of the known issuer, or `unknown`. */
  readonly name: string
  readonly valid: boolean
  /** Why it is not valid. */
  readonly reason?: 'NOT_JSON' | 'NOT_SIGNED' | 'UNKNOWN_ISSUER' | 'SIGNATURE_INVALID' | undefined
}

/** A known issuer of signed exports. */
export interface Issuer {
  /** What the export's `issuer` says. */
  readonly name: string
  /** Ed25519 public key, 32 bytes in base64url without padding. */
  readonly ed25519PublicKey: string
}

/** What a check may look at beside the value. */
export interface CheckContext {
  readonly facts: Facts
  /** Media type of the file without parameters, in lower case. */
  readonly mediaType: string
}

/** What a check found. It names places and never values. */
export interface CheckResult {
  readonly passed: boolean
  /** How much of it is fulfilled, 0 to 1; 1 or 0 after `passed` when absent. */
  readonly degree?: number
  /**
   * Share among the checks of the same dimension, finite and at least 0; 1 when absent. It must be a constant of the check: a weight that
   * follows the file lets a better file score lower. `weights` of the definition cannot, and goes before it.
   */
  readonly weight?: number
  /** Which part of the score it feeds; `quality` when absent. */
  readonly dimension?: Dimension
  /** Where in the file it looked, for example `payload.wage`; the check's name when absent. */
  readonly place?: string
  /** When the check fails, the whole contribution is refused with this code, for example `WRONG_PERIOD`. */
  readonly refusal?: string
}

/** A named check: pure, and the same answer for the same arguments. */
export type Check<Value> = (value: Value, context: CheckContext) => CheckResult
