import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, sha256Digest } from '../digest/digest.js'
import { secretHmac } from '../digest/secret-hmac.js'
import { bigEndian, concatBytes, isBytes } from '../encoding/bytes.js'
import { exactly } from '../encoding/exact-object.js'
import { isList, isPlain, requireList, requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { leafHash, rootOfHashes } from './merkle.js'
import { multiProofOfHashes, multiProofRoot } from './multi-proof.js'

const rowsLabel = /* @__PURE__ */ utf8('sealpool/rows/1')
const saltLength = 32

/** How rows were committed to. Only `root` is meant to be public. */
export interface RowsCommitment {
  /** What goes on chain. */
  readonly root: Digest
  /** Number of rows. */
  readonly count: number
}

/** Some fields of one row, which prove nothing about its other fields, not even their names. */
export interface DisclosedRow {
  /** The row's place, from 0. */
  readonly row: number
  /** How many fields the row has. */
  readonly fieldCount: number
  /** Ascending by `index`. */
  readonly fields: readonly DisclosedField[]
  /** For the fields that are not disclosed, as in `merkleMultiProof`. */
  readonly proof: readonly Uint8Array[]
}

/** One field. */
export interface DisclosedField {
  /** Place among the row's names in the order of canonical JSON. */
  readonly index: number
  readonly name: string
  readonly value: JsonValue
  /** This field's own salt, 32 bytes. */
  readonly salt: Uint8Array
}

/** What {@link openRows} discloses. */
export interface RowsOpening {
  /** Number of rows. */
  readonly count: number
  /** Ascending by `row`. */
  readonly rows: readonly DisclosedRow[]
  /** For the rows that are not disclosed, as in `merkleMultiProof`. */
  readonly proof: readonly Uint8Array[]
}

/**
 * Commits to rows so that single fields can be disclosed later. Each field is a leaf under a salt of its own, each row a
 * Merkle tree over its fields, and the rows' roots another tree: nobody can guess a value against the commitment, nor
 * against the fields that were disclosed.
 *
 * @param rows - JSON objects of 1 field or more, in order
 * @param options - `salt`: 32 secret random bytes, never used for two sets of rows
 * @returns the commitment
 * @throws CryptoError `COMMITMENT_INVALID` for a salt of another length, for rows that are no list, and for a row that is no
 *   plain object with fields, such as a hole in the list or an instance of a class; `JSON_INVALID` for a value that JSON cannot
 *   hold, undefined too
 */
export function commitRows(
  rows: readonly JsonObject[],
  options: { readonly salt: Uint8Array },
): RowsCommitment {
  requireOptions(options)
  const hashes = rowHashes(readRows(rows), options.salt)
  return { root: topOf(hashes.length, rootOfHashes(hashes)), count: hashes.length }
}

/**
 * Discloses some fields of some rows.
 *
 * @param committed - all rows, as committed to
 * @param options - `salt` as in {@link commitRows}; `disclose`: which fields of which rows, none twice
 * @returns what {@link verifyRowsOpening} takes beside the root
 * @throws CryptoError `COMMITMENT_INVALID` when a row or field is not there or named twice, or nothing is named; and as
 *   {@link commitRows}
 * @example
 * ```ts
 * import { commitRows, openRows, platformRandom, verifyRowsOpening } from '@sealpool/crypto'
 * const rows = [{ age: 41, wage: 9.5 }, { age: 33, wage: 12 }]
 * const salt = platformRandom(32)
 * const { root } = commitRows(rows, { salt })
 * const opening = openRows(rows, { salt, disclose: [{ row: 1, fields: ['wage'] }] })
 * console.log(verifyRowsOpening(root, opening, { names: ['age', 'wage'] })) // true
 * console.log(opening.rows[0]?.fields[0]?.value) // 12
 * ```
 */
export function openRows(
  committed: readonly JsonObject[],
  options: {
    readonly salt: Uint8Array
    readonly disclose: readonly { readonly row: number; readonly fields: readonly string[] }[]
  },
): RowsOpening {
  requireOptions(options)
  const { salt, disclose } = options
  const rows = readRows(committed)
  const hashes = rowHashes(rows, salt)
  const wanted = requireList(disclose, 'disclose')
  wanted.forEach((each, at) => {
    const { row, fields } = requireOptions(each, `disclose[${at}]`)
    if (!isWhole(row, 0) || !isList(fields)) {
      throw invalid(`disclose[${at}]`, 'expected a row’s number and a list of its fields')
    }
  })
  wanted.sort((one, two) => one.row - two.row)
  const disclosed = wanted.map(({ row, fields }, at): DisclosedRow => {
    const source = rows[row]
    if (source === undefined || wanted[at - 1]?.row === row) {
      throw invalid(`disclose[${at}].row`, `expected rows below ${rows.length}, none twice`)
    }
    const names = namesOf(source)
    const indices = requireList(fields, `disclose[${at}].fields`)
      .map((name) => names.indexOf(name))
      .sort((one, two) => one - two)
    if (indices.length === 0 || indices[0] === -1 || new Set(indices).size !== indices.length) {
      throw invalid(`disclose[${at}].fields`, 'expected fields of that row, at least one and none twice')
    }
    return {
      row,
      fieldCount: names.length,
      fields: indices.map((index): DisclosedField => {
        const name = names[index] ?? ''
        return { index, name, value: source[name] as JsonValue, salt: fieldSalt(salt, row, name) }
      }),
      proof: multiProofOfHashes(fieldHashes(source, row, salt), indices),
    }
  })
  if (disclosed.length === 0) throw invalid('disclose', 'name at least one row')
  const places = disclosed.map(({ row }) => row)
  return { count: rows.length, rows: disclosed, proof: multiProofOfHashes(hashes, places) }
}

/**
 * Whether disclosed fields belong to a commitment.
 *
 * A commitment alone binds the value at one place (row and `index`), and not the name: whoever commits can put one name into a row
 * twice and later open either of the two, each in an opening of its own. Whoever knows the rows' columns gives them as `names`;
 * then each name has one place, and so one value in each row.
 *
 * @param root - the commitment
 * @param opening - from {@link openRows}; hostile values are answered with `false`. What is computed inside of a field's `value` (never
 *   in what came of JSON) is read once here, and may read otherwise to whoever reads it again
 * @param options - `names`: the names of all fields of each disclosed row, in any order and none twice; left out, not undefined,
 *   where they are not known
 * @returns with `names`, true only when each disclosed row has exactly these fields and each field stands at the one place of its
 *   name, with the one value that was committed to; without, only that name and value stand at this place of the row
 */
export function verifyRowsOpening(
  root: Digest,
  opening: RowsOpening,
  options: { readonly names?: readonly string[] } = {},
): boolean {
  // Names that are asked for and cannot be read (undefined, misspelt, in a Map) must not pass as none.
  if (!isPlain(options)) return false
  if (Reflect.ownKeys(options).some((name) => name !== 'names')) return false
  try {
    const names = 'names' in options ? readNames(options.names) : undefined
    return rootOfOpening(opening, names) === root
  } catch (error) {
    if (error instanceof CryptoError || error instanceof TypeError) return false
    throw error
  }
}

/** In canonical order. */
function readNames(names: unknown): readonly string[] {
  const sorted = requireList(names as readonly string[], 'names').sort()
  if (sorted.every((name, at) => typeof name === 'string' && name !== sorted[at - 1])) return sorted
  throw invalid('names', 'expected names, none twice')
}

function rootOfOpening(opening: RowsOpening, names: readonly string[] | undefined): Digest | undefined {
  const { count, rows, proof } = readExactly(opening, ['count', 'rows', 'proof'])
  const hashes = requireList(rows, 'rows').map((disclosed) => {
    const row = readExactly(disclosed, ['row', 'fieldCount', 'fields', 'proof'])
    const { fieldCount } = row
    const fields = requireList(row.fields, 'fields').map((field) =>
      readExactly(field, ['index', 'name', 'value', 'salt']),
    )
    // In canonical order a row's names ascend strictly, so no name can be shown in two places of one opening.
    const ascending = fields.every(({ name }, at) => at === 0 || (fields[at - 1]?.name ?? '') < name)
    const placed =
      names === undefined ||
      (fieldCount === names.length && fields.every(({ index, name }) => names[index] === name))
    if (!ascending || !placed) return undefined
    const root = multiProofRoot(
      fields.map(({ index, name, value, salt }) => ({ index, hash: fieldHash(salt, name, value) })),
      fieldCount,
      row.proof,
    )
    return root && { index: row.row, hash: rowHash(fieldCount, root) }
  })
  const known = hashes.filter((each) => each !== undefined)
  if (known.length !== hashes.length) return undefined
  const tree = multiProofRoot(known, count, proof)
  return tree && topOf(count, tree)
}

/** Nobody may take for proven what stands beside the proven members, nor a member that reads otherwise the second time. */
function readExactly<Read extends object>(value: Read, names: readonly (keyof Read & string)[]): Read {
  if (!isPlain(value)) throw invalid('opening', 'expected plain objects')
  return exactly(value, names, 'COMMITMENT_INVALID', 'opening') as unknown as Read
}

function readRows(rows: readonly JsonObject[]): JsonObject[] {
  if (!isList(rows)) throw invalid('rows', 'expected an array of objects')
  // Holes become values, which are refused as rows.
  return requireList(rows, 'rows')
}

function rowHashes(rows: readonly JsonObject[], salt: Uint8Array): Uint8Array[] {
  if (!isBytes(salt) || salt.length !== saltLength) {
    throw invalid('salt', `a salt has ${saltLength} random bytes`)
  }
  return rows.map((row, index) => {
    const fields = fieldHashes(row, index, salt)
    return rowHash(fields.length, rootOfHashes(fields))
  })
}

function fieldHashes(row: JsonObject, index: number, salt: Uint8Array): Uint8Array[] {
  const names = namesOf(row)
  if (names.length === 0) throw invalid(`rows[${index}]`, 'a row is a plain object with at least one field')
  return names.map((name, field) => {
    try {
      return fieldHash(fieldSalt(salt, index, name), name, row[name] as JsonValue)
    } catch (error) {
      // The place that canonical JSON gives holds names of members, which are data here: counted instead, and no cause.
      if (!(error instanceof CryptoError)) throw error
      throw new CryptoError(
        error.code,
        `rows[${index}].fields[${field}]`,
        'a field is not JSON, or nested too deeply',
      )
    }
  })
}

function namesOf(row: unknown): string[] {
  const names = isPlain(row) ? Reflect.ownKeys(row) : []
  // Canonical JSON has no symbols, and its order is the default one of sort().
  return names.every((name) => typeof name === 'string') ? names.sort() : []
}

// Bound to row and name, so that equal values of one column look different.
function fieldSalt(salt: Uint8Array, row: number, name: string): Uint8Array {
  return secretHmac(salt, concatBytes(rowsLabel, bigEndian(row, 8), canonicalBytes(name)))
}

function fieldHash(salt: Uint8Array, name: string, value: JsonValue): Uint8Array {
  if (!isBytes(salt) || salt.length !== saltLength) {
    throw invalid('salt', `a field's salt has ${saltLength} bytes`)
  }
  return leafHash(salt, canonicalBytes([name, value]))
}

function rowHash(fieldCount: number, root: Uint8Array): Uint8Array {
  return leafHash(bigEndian(fieldCount, 4), root)
}

function topOf(count: number, root: Uint8Array): Digest {
  return sha256Digest(concatBytes(rowsLabel, bigEndian(count, 8), root))
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('COMMITMENT_INVALID', place, why)
}
