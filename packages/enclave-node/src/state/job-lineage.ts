/**
 * From what a job has read back to the contributions: which refinements it read, and what was in each.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf, textOrNull } from './column.js'
import type { Reservation } from './job-table.js'
import type { Sql } from './state-store.js'

/** A contribution as the chain has it, with the blocks in which it came and was judged. */
export interface LineageContribution {
  readonly contribution: string
  readonly blob: Digest
  readonly commitment: Digest
  readonly verdict: Digest
  readonly block: string
  /** null: not seen there yet. */
  readonly judgedBlock: string | null
}

/** A refinement that a job has read. */
export interface LineageRefinement {
  readonly pool: Address
  /** null: signed by an earlier release, which says of each batch how many rows it gave. */
  readonly statement: SignedStatement | null
  readonly block: string | null
  /** By number, as the statement's root has them; those that were erased since are missing. */
  readonly contributions: readonly LineageContribution[]
}

/** Refinements in one page, and how many contributions they may hold together: one of the largest has 10,000. */
const page = { refinements: 20, contributions: 2_000 } as const

/**
 * Reads a page of what a job was made of.
 * @param from number of the first refinement, from 1
 * @returns them in the order in which the job has read them; `next`: number of the first that is left, null when none is
 */
export async function readJobLineage(
  sql: Sql,
  { inputs }: Pick<Reservation, 'inputs'>,
  from: number,
): Promise<{ readonly refinements: readonly LineageRefinement[]; readonly next: number | null }> {
  const all = inputs.flatMap(({ refinements }) => refinements)
  const first = Math.max(from, 1)
  const wanted = all.slice(first - 1, first - 1 + page.refinements)
  const rows = await sql.query(
    `select id::text, pool, statement, recorded_block::text, json_array_length(contributions::json) as count from refinements
     where id = any (string_to_array($1, ',')::bigint[])`,
    [wanted.join(',')],
  )
  const known = new Map(rows.map((row) => [textOf(row, 'id'), row]))
  const refinements: LineageRefinement[] = []
  let taken = 0
  let held = 0
  for (const id of wanted) {
    const row = known.get(id)
    // One that is destroyed has left its contributions to no other: the chain of this job has a gap.
    const count = row === undefined ? 0 : integerOf(row, 'count')
    if (taken > 0 && held + count > page.contributions) break
    taken += 1
    held += count
    if (row === undefined) continue
    const statement = jsonOf<SignedStatement>(row, 'statement')
    refinements.push({
      pool: textOf(row, 'pool') as Address,
      statement: 'rows' in statement.statement.body ? null : statement,
      block: textOrNull(row, 'recorded_block'),
      contributions: await contributionsIn(sql, id),
    })
  }
  const next = first + taken
  return { refinements, next: next <= all.length && taken > 0 ? next : null }
}

async function contributionsIn(sql: Sql, refinement: string): Promise<readonly LineageContribution[]> {
  const rows = await sql.query(
    `select contributions.id::text as id, blob_digest, commitment, contributions.verdict_digest, block_number::text,
       coalesce(verdict_batches.recorded_block, merkle_verdicts.recorded_block)::text as judged_block
     from refinements
       join json_array_elements_text(refinements.contributions::json) as listed on true
       join contributions on contributions.id = listed.value::bigint
       left join verdict_batches on verdict_batches.id = contributions.verdict_batch
       left join merkle_verdicts on merkle_verdicts.batch = contributions.merkle_batch
     where refinements.id = $1 and contributions.verdict_digest is not null
     order by contributions.id`,
    [refinement],
  )
  return rows.map((row) => ({
    contribution: textOf(row, 'id'),
    blob: textOf(row, 'blob_digest') as Digest,
    commitment: textOf(row, 'commitment') as Digest,
    verdict: textOf(row, 'verdict_digest') as Digest,
    block: textOf(row, 'block_number'),
    judgedBlock: textOrNull(row, 'judged_block'),
  }))
}
