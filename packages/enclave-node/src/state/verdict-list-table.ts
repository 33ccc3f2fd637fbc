/**
 * Lists of verdict digests, as jobs name them: written once, however many jobs run on the same contributions and however often a job's row
 * is written. A list is cut where its digests say so, so that lists of which one goes on where the other ends share their parts. What nothing
 * names any more is forgotten by the garbage collector.
 * @module
 */
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { textOf } from './column.js'
import type { Sql } from './state-store.js'

/** A part ends with a digest that ends so: one of 256. Migration 011 cuts in the same way. */
const lastOfPart = '00'

const nameOf = (text: string): Digest => sha256Digest(new TextEncoder().encode(text))
const wordsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '))

/** @returns a list's parts as they are stored, in order */
function partsOf(verdicts: readonly Digest[]): readonly string[] {
  const parts: string[] = []
  let from = 0
  verdicts.forEach((digest, index) => {
    if (!digest.endsWith(lastOfPart) && index < verdicts.length - 1) return
    parts.push(verdicts.slice(from, index + 1).join(' '))
    from = index + 1
  })
  return parts
}

/**
 * Keeps a list; one that is kept already is not written again.
 * @returns its name, by which {@link readVerdictList} gives it back: the same for the same list
 */
export async function keepVerdictList(tx: Sql, verdicts: readonly Digest[]): Promise<Digest> {
  const named = partsOf(verdicts).map((text) => [nameOf(text), text] as const)
  const names = named.map(([name]) => name).join(' ')
  const list = nameOf(names)
  const [kept] = await tx.query('select 1 as found from verdict_lists where digest = $1', [list])
  if (kept !== undefined) return list
  const known = await tx.query(
    `select digest from verdict_parts where digest = any (string_to_array($1, ' '))`,
    [names],
  )
  // A part may come twice.
  const parts = new Map(named)
  for (const row of known) parts.delete(textOf(row, 'digest') as Digest)
  for (const part of parts)
    await tx.query(
      'insert into verdict_parts (digest, verdicts) values ($1, $2) on conflict do nothing',
      part,
    )
  await tx.query('insert into verdict_lists (digest, parts) values ($1, $2) on conflict do nothing', [
    list,
    names,
  ])
  return list
}

/**
 * @returns the list of this name, in its order
 * @throws NodeError `STATE_UNREADABLE` when the state has no such list, or not all of it
 */
export async function readVerdictList(sql: Sql, list: Digest): Promise<readonly Digest[]> {
  const [row] = await sql.query('select parts from verdict_lists where digest = $1', [list])
  if (row === undefined) throw incomplete()
  const names = textOf(row, 'parts')
  const rows = await sql.query(
    `select digest, verdicts from verdict_parts where digest = any (string_to_array($1, ' '))`,
    [names],
  )
  const parts = new Map(rows.map((part) => [textOf(part, 'digest'), wordsOf(textOf(part, 'verdicts'))]))
  return wordsOf(names).flatMap((name) => {
    const part = parts.get(name)
    if (part === undefined) throw incomplete()
    return part as readonly Digest[]
  })
}

/** {@link keepVerdictList} for lists by pool. @returns their names by pool */
export async function keepVerdictLists(
  tx: Sql,
  lists: Readonly<Record<string, readonly Digest[]>>,
): Promise<Readonly<Record<string, Digest>>> {
  const names: [string, Digest][] = []
  for (const [pool, verdicts] of Object.entries(lists))
    names.push([pool, await keepVerdictList(tx, verdicts)])
  return Object.fromEntries(names)
}

/** {@link readVerdictList} for names by pool. @throws NodeError `STATE_UNREADABLE` */
export async function readVerdictLists(
  sql: Sql,
  names: Readonly<Record<string, Digest>>,
): Promise<Readonly<Record<string, readonly Digest[]>>> {
  const lists: [string, readonly Digest[]][] = []
  for (const [pool, name] of Object.entries(names)) lists.push([pool, await readVerdictList(sql, name)])
  return Object.fromEntries(lists)
}

/**
 * Forgets lists that neither a job nor a share that another home has signed for names any more, with their parts that no other list has: a
 * job that was refused anew names a new list, and one that a reorganisation took away names none.
 * @param tx what names a list anew in the same moment comes before it or after it
 * @param limit lists at a time
 * @returns how many lists are forgotten
 */
export async function forgetVerdictLists(tx: Sql, limit: number): Promise<number> {
  // `taken-shares`: see federation/kept-share.ts.
  const rows = await tx.query(
    `with named as materialized (
       select distinct word[1] as digest from (
         select inputs as text from jobs union all select reservation from jobs
         union all select value from meta where starts_with(key, 'taken-shares ')
       ) as place, regexp_matches(place.text, 'sha256:[0-9a-f]{64}', 'g') as word
     )
     select digest, parts from verdict_lists
     where not exists (select 1 from named where named.digest = verdict_lists.digest) order by digest limit $1`,
    [limit],
  )
  if (rows.length === 0) return 0
  const parts = new Set(rows.flatMap((row) => wordsOf(textOf(row, 'parts'))))
  await tx.query(`delete from verdict_lists where digest = any (string_to_array($1, ' '))`, [
    rows.map((row) => textOf(row, 'digest')).join(' '),
  ])
  await tx.query(
    `with gone as materialized (select unnest(string_to_array($1, ' ')) as digest),
     used as materialized (select distinct gone.digest
       from verdict_lists, unnest(string_to_array(verdict_lists.parts, ' ')) as part join gone on gone.digest = part)
     delete from verdict_parts using gone where verdict_parts.digest = gone.digest
       and not exists (select 1 from used where used.digest = gone.digest)`,
    [[...parts].join(' ')],
  )
  return rows.length
}

function incomplete(): NodeError {
  return new NodeError(
    'STATE_UNREADABLE',
    'verdict_lists',
    'a list of inputs that a job names is not there as it was written; restore the data directory from a backup',
  )
}
