import type { Address, Digest, Hex } from '@sealpool/crypto'
import { integerOf, textOf, textOrNull } from './column.js'
import { isConsented } from './consent-table.js'
import { forgetContent, nextContentGeneration } from './content-table.js'
import type { ContributionState } from './contribution-state.js'
import { isDue } from './due-time.js'
import { forgetEarlierRewards } from './earlier-rewards.js'
import { forgetFarmingEntry } from './farming-table.js'
import { isOfPolicy } from './of-policy.js'
import { forgetEarlierPolicy } from './policy-table.js'
import type { Sql, SqlRow } from './state-store.js'
import { whyWaiting } from './why-waiting.js'

/** A contribution as the chain's event tells it. */
export interface ChainContribution {
  /** Decimal: the registry's number, or that of an entry of a Merkle batch (see `batched-contribution.ts`). */
  readonly id: string
  readonly pool: Address
  readonly owner: Address
  readonly blobDigest: Digest
  readonly commitment: Digest
  readonly schemaId: Hex
  readonly consentDigest: Hex
  readonly epoch: number
  readonly locator: string
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly logIndex: number
  /** Its place when it came in a Merkle batch; null for one of the registry. */
  readonly merkle: { readonly batch: string; readonly index: number } | null
}

/** A contribution as the node remembers it. */
export interface ContributionRow extends ChainContribution {
  /** The wallet's number, the same in all pools; that of another wallet where both count as one contributor. */
  readonly contributor: number
  readonly state: ContributionState
  readonly reason: string | null
  readonly reasonText: string | null
  readonly attempts: number
  /** 0 to 10000 once judged. */
  readonly score: number | null
  readonly verdictDigest: Digest | null
  /** Number of the refinement that holds (or held) its rows. */
  readonly refinement: string | null
}

/** Columns of a {@link ContributionRow}. */
export const contributionColumns = `id::text, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch,
  locator, block_number::text, block_hash, log_index, merkle_batch::text, batch_index, state, reason, reason_text, attempts,
  score, verdict_digest, refinement::text`

/** @returns a row of {@link contributionColumns}. @throws NodeError `STATE_UNREADABLE` */
export function readContribution(row: SqlRow): ContributionRow {
  const batch = textOrNull(row, 'merkle_batch')
  return {
    id: textOf(row, 'id'),
    pool: textOf(row, 'pool') as Address,
    owner: textOf(row, 'owner') as Address,
    contributor: integerOf(row, 'contributor'),
    blobDigest: textOf(row, 'blob_digest') as Digest,
    commitment: textOf(row, 'commitment') as Digest,
    schemaId: textOf(row, 'schema_id') as Hex,
    consentDigest: textOf(row, 'consent_digest') as Hex,
    epoch: integerOf(row, 'epoch'),
    locator: textOf(row, 'locator'),
    blockNumber: BigInt(textOf(row, 'block_number')),
    blockHash: textOf(row, 'block_hash') as Hex,
    logIndex: integerOf(row, 'log_index'),
    state: textOf(row, 'state') as ContributionState,
    reason: textOrNull(row, 'reason'),
    reasonText: textOrNull(row, 'reason_text'),
    attempts: integerOf(row, 'attempts'),
    score: row['score'] === null ? null : integerOf(row, 'score'),
    verdictDigest: textOrNull(row, 'verdict_digest') as Digest | null,
    merkle: batch === null ? null : { batch, index: integerOf(row, 'batch_index') },
    refinement: textOrNull(row, 'refinement'),
  }
}

/**
 * Takes a contribution in as `seen`; one that is there already stays as it is. One that a reorganisation took away and that
 * the chain shows again goes on where it stood; when the chain has given its number to another one, that one takes its place.
 */
export async function insertContribution(tx: Sql, contribution: ChainContribution): Promise<void> {
  const owner = contribution.owner.toLowerCase()
  const kept = await findContribution(tx, contribution.id)
  if (kept !== undefined && kept.state !== 'detached') return
  if (kept !== undefined) await nextContentGeneration(tx)
  if (kept !== undefined && sameContent(kept, contribution)) {
    await tx.query(
      // One whose verdict batch was given up meanwhile is judged again: the same content gives the same verdict.
      `update contributions set state = case
           when ${isGivenUp} then 'seen'
           when state_before = 'refined' then 'recorded' else state_before end,
         ${whyWaiting(`state_before in ('recorded', 'refined') and not ${isGivenUp}`)},
         state_before = null, block_number = $2, block_hash = $3, log_index = $4 where id = $1`,
      [contribution.id, contribution.blockNumber.toString(), contribution.blockHash, contribution.logIndex],
    )
    return
  }
  if (kept !== undefined) {
    await tx.query('delete from verdicts where contribution = $1', [contribution.id])
    await tx.query('delete from fingerprints where contribution = $1', [contribution.id])
    await forgetContent(tx, contribution.id)
    await forgetFarmingEntry(tx, contribution.id)
    await forgetEarlierRewards(tx, contribution.id)
    await forgetEarlierPolicy(tx, contribution.id)
    await tx.query('delete from merkle_verdicts where batch = $1', [kept.merkle?.batch ?? null])
    await tx.query('delete from contributions where id = $1', [contribution.id])
  }
  await tx.query(
    `insert into contributors (owner, number)
     values ($1, (select coalesce(max(number), 0) + 1 from contributors)) on conflict (owner) do nothing`,
    [owner],
  )
  await tx.query(
    `insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch,
       locator, block_number, block_hash, log_index, merkle_batch, batch_index, state)
     values ($1, $2, $3, (select number from contributors where owner = $3), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
       'seen')`,
    [
      contribution.id,
      contribution.pool.toLowerCase(),
      owner,
      contribution.blobDigest,
      contribution.commitment,
      contribution.schemaId,
      contribution.consentDigest,
      contribution.epoch,
      contribution.locator,
      contribution.blockNumber.toString(),
      contribution.blockHash,
      contribution.logIndex,
      contribution.merkle?.batch ?? null,
      contribution.merkle?.index ?? null,
    ],
  )
}

/** SQL that is true where the signed verdicts with that on a contribution were given up. */
const isGivenUp = `coalesce(verdict_batch in (select id from verdict_batches where state = 'replaced'), false)`

/** Whether two records under one number say the same, wherever their blocks are. */
function sameContent(kept: ContributionRow, shown: ChainContribution): boolean {
  return (
    kept.pool === shown.pool.toLowerCase() &&
    kept.owner === shown.owner.toLowerCase() &&
    kept.blobDigest === shown.blobDigest &&
    kept.commitment === shown.commitment &&
    kept.schemaId === shown.schemaId &&
    kept.consentDigest === shown.consentDigest &&
    kept.epoch === shown.epoch &&
    kept.locator === shown.locator &&
    kept.merkle?.batch === shown.merkle?.batch &&
    kept.merkle?.index === shown.merkle?.index
  )
}

/** @returns the contribution, or undefined when the node has not seen it */
export async function findContribution(sql: Sql, id: string): Promise<ContributionRow | undefined> {
  const [row] = await sql.query(`select ${contributionColumns} from contributions where id = $1`, [id])
  return row === undefined ? undefined : readContribution(row)
}

/**
 * The next contributions of a pool in one state, oldest first; of accepted ones those alone whose owners' text counts.
 * @param at unix seconds; those that wait for a later try are left out
 */
export async function nextContributions(
  sql: Sql,
  pool: Address,
  state: ContributionState,
  limit: number,
  at: number,
): Promise<readonly ContributionRow[]> {
  const rows = await sql.query(
    `select ${contributionColumns} from contributions
     where pool = $1 and state = $2 and ${isDue('retry_at', '$4')} and (state <> 'recorded' or (${isConsented} and ${isOfPolicy}))
     order by contributions.id limit $3`,
    [pool.toLowerCase(), state, limit, at],
  )
  return rows.map(readContribution)
}

/** @returns which of the contributions still stand in a state */
export async function stillIn(
  sql: Sql,
  state: ContributionState,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query(
    `select id::text from contributions where state = $1 and id = any (string_to_array($2, ',')::bigint[])`,
    [state, ids.join(',')],
  )
  return new Set(rows.map((row) => textOf(row, 'id')))
}

/** Puts a contribution off until `at` (unix seconds) and says why. */
export async function putOffContribution(
  sql: Sql,
  id: string,
  off: { readonly reason: string; readonly reasonText: string; readonly at: number },
): Promise<void> {
  await sql.query(
    `update contributions set attempts = attempts + 1, retry_at = $2, reason = $3, reason_text = $4 where id = $1`,
    [id, off.at, off.reason, off.reasonText],
  )
}

/** Has a contribution wait until `at` (unix seconds) for others, and says why: its own tries are not counted by it. */
export async function holdContribution(
  sql: Sql,
  id: string,
  held: { readonly reason: string; readonly reasonText: string; readonly at: number },
): Promise<void> {
  await sql.query(
    `update contributions set retry_at = $2, reason = $3, reason_text = $4 where id = $1 and state = 'seen'`,
    [id, held.at, held.reason, held.reasonText],
  )
}

/** Moves a contribution that was judged in a batch. */
export async function markJudged(
  tx: Sql,
  id: string,
  judged: {
    readonly score: number
    readonly verdictDigest: Digest
    /** Verdict batch; null for an entry of a Merkle batch. */
    readonly batch: string | null
    readonly reason: string | null
    readonly reasonText: string | null
    /** Number under which its rows are refined; null or absent: its own wallet's. */
    readonly contributor?: number | null
  },
): Promise<void> {
  await tx.query(
    `update contributions set state = 'judged', score = $2, verdict_digest = $3, verdict_batch = $4, reason = $5,
       reason_text = $6,
       contributor = coalesce($7, (select number from contributors where contributors.owner = contributions.owner))
     where id = $1 and state = 'seen'`,
    [
      id,
      judged.score,
      judged.verdictDigest,
      judged.batch,
      judged.reason,
      judged.reasonText,
      judged.contributor ?? null,
    ],
  )
}

/** Moves the contributions of a batch that stands on the chain: refused ones end, the others go on. */
export async function markBatchRecorded(tx: Sql, batch: string): Promise<void> {
  await tx.query(
    `update contributions set state = case when reason is null then 'recorded' else 'refused' end,
     ${whyWaiting('reason is null')}
     where verdict_batch = $1 and state = 'judged'`,
    [batch],
  )
}

/** Moves a contribution whose rows stand in a refinement, or whose content the refiner did not take. */
export async function markRefined(
  tx: Sql,
  id: string,
  /** Null for one that the refiner refused before there was a refinement. */
  refinement: string | null,
  refusal: { readonly reason: string; readonly reasonText: string } | null,
): Promise<void> {
  await tx.query(
    `update contributions set state = 'refined', refinement = $2, reason = $3, reason_text = $4
     where id = $1 and state = 'recorded'`,
    [id, refinement, refusal?.reason ?? null, refusal?.reasonText ?? null],
  )
}

/** @returns how many contributions of a pool (or of all) stand in each state, and the refused by reason */
export async function countContributions(
  sql: Sql,
  pool?: Address,
): Promise<{
  readonly states: Readonly<Record<string, number>>
  readonly refused: Readonly<Record<string, number>>
}> {
  const rows = await sql.query(
    `select state, coalesce(reason, '') as reason, count(*) as count from contributions
     where $1::text is null or pool = $1 group by 1, 2`,
    [pool?.toLowerCase() ?? null],
  )
  const states: Record<string, number> = {
    seen: 0,
    judged: 0,
    recorded: 0,
    refined: 0,
    refused: 0,
    withdrawn: 0,
  }
  const refused: Record<string, number> = {}
  for (const row of rows) {
    const state = textOf(row, 'state')
    const reason = textOf(row, 'reason')
    const count = integerOf(row, 'count')
    states[state] = (states[state] ?? 0) + count
    if (state === 'refused') refused[reason] = (refused[reason] ?? 0) + count
  }
  return { states, refused }
}

/** What a job's receipt says of a pool's inputs. */
export interface RefinedInput {
  readonly id: string
  readonly owner: Address
  readonly contributor: number
  readonly blobDigest: Digest
  readonly commitment: Digest
  readonly verdictDigest: Digest
}

const ofJobs = `pool = $1 and state = 'refined' and reason is null`

/** @returns the contributions of a pool that jobs use, by id */
export async function refinedInputs(sql: Sql, pool: Address): Promise<readonly RefinedInput[]> {
  const rows = await sql.query(
    `select id::text, owner, contributor, blob_digest, commitment, verdict_digest from contributions
     where ${ofJobs} order by contributions.id`,
    [pool.toLowerCase()],
  )
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    owner: textOf(row, 'owner') as Address,
    contributor: integerOf(row, 'contributor'),
    blobDigest: textOf(row, 'blob_digest') as Digest,
    commitment: textOf(row, 'commitment') as Digest,
    verdictDigest: textOf(row, 'verdict_digest') as Digest,
  }))
}

/** @returns a digest of all that {@link refinedInputs} gives, at a small part of its cost */
export async function refinedInputsDigest(sql: Sql, pool: Address): Promise<string> {
  const [row] = await sql.query(
    `select coalesce(encode(sha256(convert_to(string_agg(
       concat_ws(' ', id, owner, contributor, blob_digest, commitment, verdict_digest), ',' order by id), 'UTF8')), 'hex'), '') as digest
     from contributions where ${ofJobs}`,
    [pool.toLowerCase()],
  )
  return row === undefined ? '' : textOf(row, 'digest')
}

/** @returns how many different contributors have contributions in a pool's tables */
export async function refinedContributors(sql: Sql, pool: Address): Promise<number> {
  const [row] = await sql.query(
    `select count(distinct contributor)::integer as count from contributions where ${ofJobs}`,
    [pool.toLowerCase()],
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** @returns how many contributions of a pool are in its tables, and the block of the newest */
export async function refinedContributions(
  sql: Sql,
  pool: Address,
): Promise<{ readonly count: number; readonly newestBlock: string | null }> {
  const [row] = await sql.query(
    `select count(*)::integer as count, max(block_number)::text as newest from contributions
     where pool = $1 and state = 'refined'`,
    [pool],
  )
  return row === undefined
    ? { count: 0, newestBlock: null }
    : { count: integerOf(row, 'count'), newestBlock: textOrNull(row, 'newest') }
}
