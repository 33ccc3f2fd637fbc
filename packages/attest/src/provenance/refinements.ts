import { type Address, canonicalBytes, encodeHex, merkleRoot, statementDigest } from '@sealpool/crypto'
import type { ReceiptPool } from '../receipt/receipt.js'
import type { ProvenanceGap, ProvenanceItem, ProvenanceStep } from './provenance.js'
import { type ContributionRecord, type RefinementRecord, refinementPartSchema } from './records.js'
import { Gap, statementOf, type Trusted, trustedStatement } from './signed-record.js'

/** A contribution as steps name it. */
export function contributionItem(
  pool: Address,
  { contribution, blob }: Pick<ContributionRecord, 'contribution' | 'blob'>,
): ProvenanceItem {
  return { kind: 'contribution', pool, name: contribution, digest: blob }
}

/**
 * Steps from a pool's contributions to rows: each contribution is in the rows of one refinement. Refinements of other pools and of
 * other contributions are left out, whatever they are: a list may be a node's whole one, back to keys that are no more.
 *
 * @param pool what the receipt says of the pool
 * @param inputs the pool's contributions that went into the job
 * @param refinements of all pools
 * @param trusted whose word counts
 * @returns the steps that hold, and a gap for each that does not
 */
export function refinementSteps(
  pool: ReceiptPool,
  inputs: readonly ContributionRecord[],
  refinements: readonly RefinementRecord[],
  trusted: Trusted,
): { readonly steps: readonly ProvenanceStep[]; readonly gaps: readonly ProvenanceGap[] } {
  const address = pool.pool.toLowerCase() as Address
  const wanted = new Map(inputs.map((entry) => [entry.contribution, entry]))
  const found = new Set<string>()
  const gaps: ProvenanceGap[] = []
  const steps: ProvenanceStep[] = []
  refinements.forEach((refinement, index) => {
    const used = refinement.contributions.flatMap((id) => wanted.get(id) ?? [])
    if (used.length === 0) return
    // Ids are counted pool by pool: another pool's refinement names the same ones.
    const signed = statementOf(refinement.statement)
    if (signed !== undefined && signed.context.pool.toLowerCase() !== address) return
    try {
      steps.push(stepOf(pool, used, refinement, trustedStatement(signed, 'sealpool/refinement/1', trusted)))
    } catch (error) {
      if (!(error instanceof Gap)) throw error
      gaps.push({ code: error.code, place: `refinements[${index}]` })
      return
    }
    const twice = used.some(({ contribution }) => found.has(contribution))
    if (twice || new Set(used).size < used.length)
      gaps.push({ code: 'REFINEMENT_TWICE', place: `refinements[${index}]` })
    for (const { contribution } of used) found.add(contribution)
  })
  if (found.size < wanted.size) gaps.push({ code: 'REFINEMENT_MISSING', place: `${address}.contributions` })
  return { steps, gaps }
}

function stepOf(
  pool: ReceiptPool,
  used: readonly ContributionRecord[],
  { contributions, at }: RefinementRecord,
  { statement }: ReturnType<typeof trustedStatement>,
): ProvenanceStep {
  const address = pool.pool.toLowerCase() as Address
  const read = refinementPartSchema.safeParse(statement.body)
  if (!read.success || read.data.pool.toLowerCase() !== address) throw new Gap('STATEMENT_INVALID')
  const { policy, refiner, schema, content, contributions: said } = read.data
  const root = merkleRoot(contributions.map((contribution) => canonicalBytes({ contribution })))
  if (said.count !== contributions.length || said.root !== encodeHex(root)) throw new Gap('REFINEMENT_OTHER')
  if (policy !== pool.policy) throw new Gap('REFINEMENT_OTHER')
  return {
    kind: 'refinement',
    record: statementDigest(statement),
    pool: address,
    at,
    code: refiner,
    names: { policy, schema },
    inputs: used.map((entry) => contributionItem(address, entry)),
    outputs: [{ kind: 'rows', pool: address, name: content, digest: content }],
  }
}
