import { type Address, type Digest, digestOf, type SignedStatement } from '@sealpool/crypto'
import type { Dispute } from '@sealpool/poc'
import { integerOf, jsonOf, textOf, textOrNull } from './column.js'
import type { Sql, SqlRow } from './state-store.js'

/** Everything with which anybody can count the validators' words on a contribution again, offline. */
export interface AgreementRecord {
  readonly poc: Digest
  readonly commitment: Digest
  /** Keyed digest of what all of them judged by. */
  readonly inputs: Digest
  /** What the contribution was sealed under, where it is judged again. */
  readonly earlierPolicy?: Digest
  readonly threshold: number
  readonly validators: readonly Address[]
  /** Of those who agree, in the order of the list. */
  readonly statements: readonly SignedStatement[]
}

/** A dispute with what it shows. */
export interface RecordedDispute extends Dispute {
  readonly statements: readonly [SignedStatement, SignedStatement]
  /** With what `checkDispute` is asked besides pool and contribution. */
  readonly expected: Pick<AgreementRecord, 'poc' | 'commitment' | 'inputs' | 'earlierPolicy' | 'validators'>
}

/** Who contradicts whom on a contribution. */
export interface DisputeRow {
  /** Counts up from 1 in this node. */
  readonly number: string
  readonly contribution: string
  readonly pool: Address
  readonly shown: Pick<RecordedDispute, 'kind' | 'signers' | 'digests' | 'fields'> & {
    readonly poc: Digest
  }
  /** The signed verdicts with what they are about; null once the contribution was taken back. */
  readonly evidence: Pick<RecordedDispute, 'statements' | 'expected'> | null
}

/** Disputes that are kept of one contribution: who goes on lying adds nothing to what is shown already. */
const mostDisputes = 20

/** Stores what validators agreed on, in the transaction that stores the verdict. */
export async function storeAgreement(tx: Sql, contribution: string, record: AgreementRecord): Promise<void> {
  await tx.query(
    `insert into verdict_agreements (contribution, record) values ($1, $2)
     on conflict (contribution) do update set record = excluded.record`,
    [contribution, JSON.stringify(record)],
  )
}

/** @returns what validators agreed on, or undefined when the home alone has judged */
export async function findAgreement(sql: Sql, contribution: string): Promise<AgreementRecord | undefined> {
  const [row] = await sql.query('select record from verdict_agreements where contribution = $1', [
    contribution,
  ])
  return row === undefined ? undefined : jsonOf<AgreementRecord>(row, 'record')
}

/**
 * Notes disputes on a contribution, each once: whoever signs the same anew, spells it in another way, or says something else over the same
 * inputs when he is asked again, is in no further dispute with the same one.
 * @returns those that were not known
 */
export async function noteDisputes(
  tx: Sql,
  of: { readonly contribution: string; readonly pool: Address },
  disputes: readonly RecordedDispute[],
): Promise<readonly RecordedDispute[]> {
  const fresh: RecordedDispute[] = []
  for (const dispute of disputes) {
    const { kind, signers, digests, fields, statements, expected } = dispute
    const { poc, commitment, inputs } = expected
    const evidenceDigest = digestOf({ ...of, kind, signers: signers.toSorted(), poc, commitment, inputs })
    const [known] = await tx.query(
      `select 1 as found where exists (select 1 from verdict_disputes where evidence_digest = $1)
         or (select count(*) from verdict_disputes where contribution = $2) >= ${mostDisputes}`,
      [evidenceDigest, of.contribution],
    )
    if (known !== undefined) continue
    await tx.query(
      `insert into verdict_disputes (id, contribution, pool, evidence_digest, shown, evidence)
       values ((select coalesce(max(id), 0) + 1 from verdict_disputes), $1, $2, $3, $4, $5)`,
      [
        of.contribution,
        of.pool,
        evidenceDigest,
        JSON.stringify({ kind, signers, digests, fields, poc }),
        JSON.stringify({ statements, expected }),
      ],
    )
    fresh.push(dispute)
  }
  return fresh
}

const columns = 'id::text, contribution::text, pool, shown, evidence'

function read(row: SqlRow): DisputeRow {
  return {
    number: textOf(row, 'id'),
    contribution: textOf(row, 'contribution'),
    pool: textOf(row, 'pool') as Address,
    shown: jsonOf(row, 'shown'),
    evidence: textOrNull(row, 'evidence') === null ? null : jsonOf(row, 'evidence'),
  }
}

/** @returns disputes from a number on, oldest first */
export async function disputesFrom(sql: Sql, from: number, limit: number): Promise<readonly DisputeRow[]> {
  const rows = await sql.query(
    `select ${columns} from verdict_disputes where id >= $1 order by verdict_disputes.id limit $2`,
    [from, limit],
  )
  return rows.map(read)
}

/** @returns the disputes on a contribution */
export async function disputesOn(sql: Sql, contribution: string): Promise<readonly DisputeRow[]> {
  const rows = await sql.query(
    `select ${columns} from verdict_disputes where contribution = $1 order by verdict_disputes.id`,
    [contribution],
  )
  return rows.map(read)
}

/** @returns how many disputes there are */
export async function countDisputes(sql: Sql): Promise<number> {
  const [row] = await sql.query('select count(*)::integer as count from verdict_disputes')
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** Destroys what validators said of a contribution; that they contradicted each other stays, by digests. */
export async function forgetAgreement(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from verdict_agreements where contribution = $1', [contribution])
  await tx.query(
    'update verdict_disputes set evidence = null where contribution = $1 and evidence is not null',
    [contribution],
  )
}
