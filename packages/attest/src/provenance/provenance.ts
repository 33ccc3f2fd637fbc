import type { Address, Digest } from '@sealpool/crypto'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import type { ContributionRecord } from './records.js'

/**
 * Why a chain does not hold:
 *
 * - `STATEMENT_INVALID`: it is no signed statement of the expected kind, says nothing that can be followed, is about another job or another
 *   part of a dealt one, or was changed after it was signed
 * - `SIGNER_UNKNOWN`: signed by a node that the caller did not name, or by another than the one that the receipt names
 * - `DEPLOYMENT_OTHER`: signed for another chain or registry
 * - `RESULT_OTHER`: the receipt is about another result, or about none
 * - `INPUTS_MISSING`, `INPUTS_OTHER`: a pool's contributions were not given, or are not those that the receipt names
 * - `VERDICTS_MISSING`, `VERDICTS_OTHER`: the same for the verdicts on them
 * - `REFINEMENT_OTHER`: its list of contributions is not the one that was signed, or it was made under another policy
 * - `REFINEMENT_MISSING`, `REFINEMENT_TWICE`: a contribution is in no refinement that was given and holds, or in several
 * - `PARENT_MISSING`: another node's signed word that the receipt names was not given
 */
export type ProvenanceGapCode =
  | 'DEPLOYMENT_OTHER'
  | 'INPUTS_MISSING'
  | 'INPUTS_OTHER'
  | 'PARENT_MISSING'
  | 'REFINEMENT_MISSING'
  | 'REFINEMENT_OTHER'
  | 'REFINEMENT_TWICE'
  | 'RESULT_OTHER'
  | 'SIGNER_UNKNOWN'
  | 'STATEMENT_INVALID'
  | 'VERDICTS_MISSING'
  | 'VERDICTS_OTHER'

/** A place where a chain does not hold. */
export interface ProvenanceGap {
  readonly code: ProvenanceGapCode
  /** Which record: `receipt`, `<pool>.contributions`, `refinements[3]`. */
  readonly place: string
}

/** Something that a step took or made, by its digest. */
export interface ProvenanceItem {
  /** A `source` is known by its salted commitment alone. */
  readonly kind: 'source' | 'contribution' | 'verdict' | 'rows' | 'result' | 'model'
  /** In lower case; null for what a job made of several pools. */
  readonly pool: Address | null
  /** Name inside of the pool: a contribution's id, else the digest. */
  readonly name: string
  readonly digest: Digest
}

/** One step from sources to a result. */
export interface ProvenanceStep {
  readonly kind: 'contribution' | 'judgement' | 'refinement' | 'query' | 'compute'
  /** Digest of the record or signed statement that says so. */
  readonly record: Digest
  readonly pool: Address | null
  /** ISO in UTC: a receipt's own time, else what the caller gave. */
  readonly at: string
  /** Digest of the approved code that ran; null where there is none, or none is told. */
  readonly code: Digest | null
  /** Further digests that the record names: policy, schema, plan, manifest, key set, quote. */
  readonly names: Readonly<Record<string, Digest>>
  readonly inputs: readonly ProvenanceItem[]
  readonly outputs: readonly ProvenanceItem[]
}

/** A chain, walked from a result back to the contributions that went into it. */
export interface Provenance {
  /** True only when every link was there and held. */
  readonly complete: boolean
  readonly gaps: readonly ProvenanceGap[]
  /** From the sources on; of an incomplete chain, what held. */
  readonly steps: readonly ProvenanceStep[]
  /** The contributions that went into the result; none of a pool whose list did not hold. */
  readonly inputs: readonly (Omit<ContributionRecord, 'at'> & { readonly pool: Address })[]
  readonly deployment: ReceiptDeployment
  readonly simulated: boolean
}
