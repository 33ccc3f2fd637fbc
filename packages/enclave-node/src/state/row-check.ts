/**
 * Looks at all sealed rows again while the node works: after a start on an image of the memory, which opens those alone that were written
 * since. What somebody changed, added or took away is found within minutes, not when the row is written again.
 * @module
 */
import { encodeHex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { bytesOf, integerOf } from './column.js'
import type { KnownRow, KnownRows } from './known-rows.js'
import type { RowCipher } from './row-cipher.js'
import { readLine } from './sealed-contents.js'
import { readSealedRows, tampered } from './sealed-rows.js'
import type { Sql } from './state-store.js'

/** What is looked at, and how. */
interface CheckedRows {
  readonly durable: Sql
  readonly cipher: RowCipher
  /** What the node knows of its rows: it changes while they are looked at. */
  readonly known: KnownRows
  /** Number of the last commit when it began: rows of later ones are this node's own work. */
  readonly version: number
  /** Runs something while no commit is under way. */
  readonly between: <T>(work: () => Promise<T>) => Promise<T>
  /** Called between two pieces, so that it takes no more than a small part of the node's time. */
  readonly pause: () => Promise<void>
  /** Asked after each piece. */
  readonly wanted: () => boolean
}

/** A look at all rows that goes on beside the node's work. */
export interface RowCheck {
  /** Resolves when it is over, however it ended. */
  readonly done: Promise<void>
  /** Ends it after the present piece. */
  end(): void
}

/**
 * Begins to look at every row that is not of a later commit.
 * @param options `onError`: told when one is not what the node has written (`STATE_TAMPERED`), or cannot be read (`STATE_UNREADABLE`)
 */
export function startRowCheck(
  options: CheckedRows & { readonly onError: (error: NodeError) => void },
): RowCheck {
  let ended = false
  const done = checkRows({ ...options, wanted: () => !ended && options.wanted() }).catch((error: unknown) =>
    options.onError(error instanceof NodeError ? error : unreadable(error)),
  )
  return {
    done,
    end() {
      ended = true
    },
  }
}

const rowsInPiece = 250
/** Few: a page has a hundred rows when they are large. */
const pagesAtOnce = 4

async function checkRows(options: CheckedRows): Promise<void> {
  const { durable, cipher, known, version, between, pause, wanted } = options
  // The node still starts.
  await pause()
  if (!wanted()) return
  const seen = new Set<KnownRow>()
  /** Compares what lies there with what is known, at one moment. */
  const requireSame = async (table: string, key: string): Promise<void> => {
    const row = known.get(table)?.get(key)
    const name = cipher.name(table, key)
    const [there, ...more] = await durable.query(
      `select version::text, sealed from sealed_rows where name = decode($1, 'hex')`,
      [encodeHex(name).slice(2)],
    )
    const found = there && { version: integerOf(there, 'version'), sealed: bytesOf(there, 'sealed') }
    const weight = found && cipher.weight(found.sealed, { name, version: found.version })
    if (found?.version === row?.version && weight === row?.weight && more.length === 0) return
    throw tampered('a stored row is not the one that the node has written')
  }
  let left = rowsInPiece
  const rows = readSealedRows(durable, cipher.decode, { upTo: version, pagesAtOnce })
  for await (const { sealed, ...place } of rows) {
    left -= 1
    if (left === 0) {
      left = rowsInPiece
      await pause()
      if (!wanted()) return
    }
    const line = cipher.open(sealed, place)
    if (line === undefined)
      throw tampered('a stored row does not open: it was changed, or belongs to another place')
    const { table, key } = readLine(line)
    const row = known.get(table)?.get(key)
    if (row?.version === place.version && row.weight === cipher.weight(sealed, place)) seen.add(row)
    // Written again since it was read, which has looked at it; or gone since, or put back.
    else if (row === undefined || row.version <= version) await between(() => requireSame(table, key))
  }
  await between(async () => {
    for (const [table, keys] of known)
      for (const [key, row] of keys)
        if (row.version <= version && !seen.has(row)) await requireSame(table, key)
  })
}

function unreadable(cause: unknown): NodeError {
  return new NodeError(
    'STATE_UNREADABLE',
    'state',
    'a stored row cannot be read; restore the newest copy of the data directory',
    { cause },
  )
}
