import type { Address, Digest, Hex } from '@sealpool/crypto'
import { integerOf, textOf, textOrNull } from './column.js'
import type { ContributionState } from './contribution-state.js'
import type { Sql, SqlRow } from './state-store.js'

/** A contribution as the chain's event tells it. */
export interface ChainContribution {
  /** Decimal, counting from 1 over the registry. */
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
}

/** A contribution as the node remembers it. */
export interface ContributionRow extends ChainContribution {
  /** The wallet's number, the same in all pools. */
  readonly contributor: number
  readonly state: ContributionState
  readonly reason: string | null
  readonly reasonText: string | null
  readonly attempts: number
  /** 0 to 10000 once judged. */
  readonly score: number | null
  readonly verdictDigest: Digest | null
}

const columns = `id::text, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch, locator,
  block_number::text, block_hash, log_index, state, reason, reason_text, attempts, score, verdict_digest`

function read(row: SqlRow): ContributionRow {
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
  }
}

/** Takes a contribution in as `seen`; one that is there already stays as it is. */
export async function insertContribution(tx: Sql, contribution: ChainContribution): Promise<void> {
  const owner = contribution.owner.toLowerCase()
  await tx.query(
    `insert into contributors (owner, number)
     values ($1, (select coalesce(max(number), 0) + 1 from contributors)) on conflict (owner) do nothing`,
    [owner],
  )
  await tx.query(
    `insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch,
       locator, block_number, block_hash, log_index, state)
     values ($1, $2, $3, (select number from contributors where owner = $3), $4, $5, $6, $7, $8, $9, $10, $11, $12, 'seen')
     on conflict (id) do nothing`,
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
    ],
  )
}

/** @returns the contribution, or undefined when the node has not seen it */
export async function findContribution(sql: Sql, id: string): Promise<ContributionRow | undefined> {
  const [row] = await sql.query(`select ${columns} from contributions where id = $1`, [id])
  return row === undefined ? undefined : read(row)
}

/**
 * The next contributions of a pool in one state, oldest first.
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
    `select ${columns} from contributions where pool = $1 and state = $2 and retry_at <= $4 order by id limit $3`,
    [pool.toLowerCase(), state, limit, at],
  )
  return rows.map(read)
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

/** Moves a contribution that was judged in a batch. */
export async function markJudged(
  tx: Sql,
  id: string,
  judged: {
    readonly score: number
    readonly verdictDigest: Digest
    readonly batch: string
    readonly reason: string | null
    readonly reasonText: string | null
  },
): Promise<void> {
  await tx.query(
    `update contributions set state = 'judged', score = $2, verdict_digest = $3, verdict_batch = $4, reason = $5,
       reason_text = $6 where id = $1 and state = 'seen'`,
    [id, judged.score, judged.verdictDigest, judged.batch, judged.reason, judged.reasonText],
  )
}

/** Moves the contributions of a batch that stands on the chain: refused ones end, the others go on. */
export async function markBatchRecorded(tx: Sql, batch: string): Promise<void> {
  await tx.query(
    `update contributions set state = case when reason is null then 'recorded' else 'refused' end
     where verdict_batch = $1 and state = 'judged'`,
    [batch],
  )
}

/** Moves a contribution whose rows stand in a refinement, or whose content the refiner did not take. */
export async function markRefined(
  tx: Sql,
  id: string,
  refinement: string,
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
  const states: Record<string, number> = { seen: 0, judged: 0, recorded: 0, refined: 0, refused: 0 }
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

/** @returns the contributions of a pool that jobs use, by id */
export async function refinedInputs(sql: Sql, pool: Address): Promise<readonly RefinedInput[]> {
  const rows = await sql.query(
    `select ${columns} from contributions where pool = $1 and state = 'refined' and reason is null order by id`,
    [pool.toLowerCase()],
  )
  return rows.map((row) => ({ ...read(row), verdictDigest: textOf(row, 'verdict_digest') as Digest }))
}
