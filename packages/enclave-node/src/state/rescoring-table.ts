/**
 * Contributions that an earlier proof accepted and the present one judges again. Nothing of the first verdict is touched: the second stands
 * beside it, and goes when the contribution does.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import type { LeftContribution, RescoredContribution } from '@sealpool/poc'
import { integerOf, jsonOf, textOf, textOrNull } from './column.js'
import {
  type ContributionRow,
  contributionColumns,
  findContribution,
  readContribution,
} from './contribution-table.js'
import { isDue } from './due-time.js'
import { NOT_HELD } from './forget-rescored.js'
import type { Sql } from './state-store.js'
import type { AgreementRecord } from './verdict-agreement-table.js'

/** One choice of contributions, and how far it is. */
export interface RescoringRun {
  readonly pool: Address
  /** Digest of what it is done by. */
  readonly run: Digest
  readonly state: 'judging' | 'signed'
  readonly accepted: number
  readonly chosen: number
}

/** An accepted contribution, and the code that accepted it. */
export interface JudgedEarlier {
  readonly contribution: string
  readonly poc: Digest
}

/** States of contributions that were accepted, and count. */
const accepted = `contributions.score is not null and contributions.state in ('recorded', 'refined')`

/** @returns a run of a pool, or undefined */
export async function findRescoringRun(
  sql: Sql,
  pool: Address,
  run: Digest,
): Promise<RescoringRun | undefined> {
  const [row] = await sql.query(
    'select state, accepted, chosen from rescoring_runs where pool = $1 and run = $2',
    [pool.toLowerCase(), run],
  )
  if (row === undefined) return undefined
  return {
    pool,
    run,
    state: textOf(row, 'state') as RescoringRun['state'],
    accepted: integerOf(row, 'accepted'),
    chosen: integerOf(row, 'chosen'),
  }
}

/** @returns whether verdicts of a pool are on their way to the chain */
export async function hasUnrecorded(sql: Sql, pool: Address): Promise<boolean> {
  const rows = await sql.query(`select 1 from contributions where pool = $1 and state = 'judged' limit 1`, [
    pool.toLowerCase(),
  ])
  return rows.length > 0
}

/** @returns accepted contributions of a pool that one of these proofs judged, by id; `isRescored`: by the present one as well */
export async function judgedEarlier(
  sql: Sql,
  pool: Address,
  by: { readonly earlier: readonly Digest[]; readonly present: Digest },
): Promise<readonly (JudgedEarlier & { readonly isRescored: boolean })[]> {
  const rows = await sql.query(
    `select id::text as contribution, judged.poc, rescored.contribution is not null as rescored from contributions
       join (select contribution, statement::jsonb #>> '{statement,body,poc}' as poc from verdicts) as judged on judged.contribution = id
       left join rescored on rescored.contribution = id and rescored.poc = $3
     where contributions.pool = $1 and ${accepted} and judged.poc = any (string_to_array($2, ','))
     order by contributions.id`,
    [pool.toLowerCase(), by.earlier.join(','), by.present],
  )
  return rows.map((row) => ({
    contribution: textOf(row, 'contribution'),
    poc: textOf(row, 'poc') as Digest,
    isRescored: row['rescored'] === true,
  }))
}

/** Notes who was chosen, before any of them is opened. */
export async function beginRescoring(
  tx: Sql,
  { pool, run, accepted: count, chosen }: Omit<RescoringRun, 'state'>,
  poc: Digest,
  contributions: readonly string[],
): Promise<void> {
  await tx.query(
    `insert into rescoring_runs (pool, run, state, accepted, chosen) values ($1, $2, 'judging', $3, $4)`,
    [pool.toLowerCase(), run, count, chosen],
  )
  await tx.query(
    `insert into rescored (contribution, poc, pool, run, state)
     select id::bigint, $2, $3, $4, 'due' from unnest(string_to_array($1, ',')) as id`,
    [contributions.join(','), poc, pool.toLowerCase(), run],
  )
}

/** @returns the next that are to be judged, by id, with how often their files were looked for in vain */
export async function dueRescored(
  sql: Sql,
  { pool, run }: Pick<RescoringRun, 'pool' | 'run'>,
  { at, limit }: { readonly at: number; readonly limit: number },
): Promise<readonly { readonly id: string; readonly attempts: number }[]> {
  const rows = await sql.query(
    `select contribution::text, attempts from rescored
     where pool = $1 and run = $2 and state = 'due' and ${isDue('retry_at', '$3')}
     order by rescored.contribution limit $4`,
    [pool.toLowerCase(), run, at, limit],
  )
  return rows.map((row) => ({ id: textOf(row, 'contribution'), attempts: integerOf(row, 'attempts') }))
}

/** @returns the contribution where it is accepted and counts, else undefined */
export async function stillAccepted(sql: Sql, id: string): Promise<ContributionRow | undefined> {
  const [row] = await sql.query(
    `select ${contributionColumns} from contributions where id = $1 and ${accepted}`,
    [id],
  )
  return row === undefined ? undefined : readContribution(row)
}

/** Stores a second verdict. @returns false when the contribution counts no more: nothing is stored then */
export async function storeRescored(
  tx: Sql,
  poc: Digest,
  judged: {
    readonly entry: RescoredContribution
    readonly statement: SignedStatement
    readonly account: string | null
    /** What its validators came to; null where the home alone has judged. */
    readonly agreement: AgreementRecord | null
  },
): Promise<boolean> {
  const { entry, statement, account, agreement } = judged
  if ((await stillAccepted(tx, entry.contribution)) === undefined) return false
  const moved = await tx.query(
    `update rescored set state = 'judged' where contribution = $1 and poc = $2 and state = 'due' returning contribution`,
    [entry.contribution, poc],
  )
  if (moved.length === 0) return false
  await tx.query(
    `insert into rescored_verdicts (contribution, poc, statement, entry, account, agreement) values ($1, $2, $3, $4, $5, $6)`,
    [
      entry.contribution,
      poc,
      JSON.stringify(statement),
      JSON.stringify(entry),
      account,
      agreement && JSON.stringify(agreement),
    ],
  )
  return true
}

/** Looks for a contribution's file again at `at` (unix seconds). */
export async function putOffRescored(sql: Sql, id: string, poc: Digest, at: number): Promise<void> {
  await sql.query(
    `update rescored set attempts = attempts + 1, retry_at = $3 where contribution = $1 and poc = $2 and state = 'due'`,
    [id, poc, at],
  )
}

/** Has all that a run is to judge wait until `at` (unix seconds) at least. */
export async function putOffRescoringRun(
  sql: Sql,
  { pool, run }: Pick<RescoringRun, 'pool' | 'run'>,
  at: number,
): Promise<void> {
  await sql.query(
    `update rescored set retry_at = $3 where pool = $1 and run = $2 and state = 'due' and retry_at < $3`,
    [pool.toLowerCase(), run, at],
  )
}

/** Leaves a contribution out, and says why. */
export async function leaveRescored(sql: Sql, id: string, poc: Digest, reason: string): Promise<void> {
  await sql.query(
    `update rescored set state = 'left', reason = $3 where contribution = $1 and poc = $2 and state = 'due'`,
    [id, poc, reason],
  )
}

/** @returns how many of a run are to be judged still, and how many wait to be signed for */
export async function countRescored(
  sql: Sql,
  { pool, run }: Pick<RescoringRun, 'pool' | 'run'>,
): Promise<{ readonly due: number; readonly done: number }> {
  // That it counts nothing signed keeps to the index of what is open.
  const [row] = await sql.query(
    `select count(*) filter (where state = 'due')::integer as due,
       count(*) filter (where state in ('judged', 'left'))::integer as done from rescored
     where pool = $1 and run = $2 and state <> 'signed'`,
    [pool.toLowerCase(), run],
  )
  return row === undefined
    ? { due: 0, done: 0 }
    : { due: integerOf(row, 'due'), done: integerOf(row, 'done') }
}

/** @returns the next of a run to sign for, by id: both verdicts of those that still count, and who is left out */
export async function nextRescoringPart(
  tx: Sql,
  { pool, run }: Pick<RescoringRun, 'pool' | 'run'>,
  limit: number,
): Promise<{
  readonly entries: readonly RescoredContribution[]
  readonly left: readonly LeftContribution[]
}> {
  const rows = await tx.query(
    `select rescored.contribution::text as contribution, rescored.reason, entry, contributions.id is not null as held from rescored
       left join rescored_verdicts on rescored_verdicts.contribution = rescored.contribution
         and rescored_verdicts.poc = rescored.poc
       left join contributions on contributions.id = rescored.contribution and ${accepted}
     where rescored.pool = $1 and run = $2 and rescored.state in ('judged', 'left')
     order by rescored.contribution limit $3`,
    [pool.toLowerCase(), run, limit],
  )
  const entries: RescoredContribution[] = []
  const left: LeftContribution[] = []
  for (const row of rows) {
    const contribution = textOf(row, 'contribution')
    const reason = textOrNull(row, 'reason')
    if (reason === null && row['held'] === true && textOrNull(row, 'entry') !== null)
      entries.push(jsonOf<RescoredContribution>(row, 'entry'))
    else left.push({ contribution, reason: reason ?? NOT_HELD })
  }
  return { entries, left }
}

/** Notes that a part was signed, with what stands in it. */
export async function endRescoringPart(
  tx: Sql,
  { pool, run }: Pick<RescoringRun, 'pool' | 'run'>,
  part: {
    readonly poc: Digest
    readonly number: number
    readonly last: boolean
    readonly contributions: readonly string[]
    readonly statement: SignedStatement
  },
): Promise<void> {
  await tx.query(
    `update rescored set state = 'signed' where poc = $2 and contribution = any (string_to_array($1, ',')::bigint[])`,
    [part.contributions.join(','), part.poc],
  )
  await tx.query('insert into rescoring_statements (pool, number, statement) values ($1, $2, $3)', [
    pool.toLowerCase(),
    part.number,
    JSON.stringify(part.statement),
  ])
  if (!part.last) return
  await tx.query(`update rescoring_runs set state = 'signed' where pool = $1 and run = $2`, [
    pool.toLowerCase(),
    run,
  ])
}

/** @returns the number of a pool's next statement */
export async function nextRescoringNumber(sql: Sql, pool: Address): Promise<number> {
  const [row] = await sql.query(
    'select coalesce(max(number), 0) + 1 as number from rescoring_statements where pool = $1',
    [pool.toLowerCase()],
  )
  return row === undefined ? 1 : integerOf(row, 'number')
}

/** A full statement has some 150 kB. */
const statementsAtOnce = 8

/** @returns a page of a pool's signed statements, from a number on, oldest first */
export async function rescoringStatements(
  sql: Sql,
  pool: Address,
  from: number,
): Promise<readonly SignedStatement[]> {
  const rows = await sql.query(
    'select statement from rescoring_statements where pool = $1 and number >= $2::bigint order by number limit $3',
    [pool.toLowerCase(), from, statementsAtOnce],
  )
  return rows.map((row) => jsonOf<SignedStatement>(row, 'statement'))
}

/** @returns the signed verdicts by later proofs on a contribution */
export async function rescoredVerdicts(sql: Sql, contribution: string): Promise<readonly SignedStatement[]> {
  const rows = await sql.query(
    'select statement from rescored_verdicts where contribution = $1 order by poc',
    [contribution],
  )
  return rows.map((row) => jsonOf<SignedStatement>(row, 'statement'))
}

/** @returns what validators agreed on by later proofs on a contribution; nothing where the home alone has judged */
export async function rescoredAgreements(
  sql: Sql,
  contribution: string,
): Promise<readonly AgreementRecord[]> {
  const rows = await sql.query(
    'select agreement from rescored_verdicts where contribution = $1 and agreement is not null order by poc',
    [contribution],
  )
  return rows.map((row) => jsonOf<AgreementRecord>(row, 'agreement'))
}

/** @returns the owner of the first contribution that a run accepted with an account, and its number: others may have been judged before it, while it waited */
export async function rescoredHolder(
  sql: Sql,
  poc: Digest,
  account: string,
): Promise<Pick<ContributionRow, 'owner' | 'contributor'> | undefined> {
  const [row] = await sql.query(
    `select contribution::text as contribution from rescored_verdicts
     where poc = $1 and account = $2 order by rescored_verdicts.contribution limit 1`,
    [poc, account],
  )
  return row === undefined ? undefined : findContribution(sql, textOf(row, 'contribution'))
}
