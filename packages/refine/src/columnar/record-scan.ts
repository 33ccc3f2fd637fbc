/** Named fields of records, read by WebAssembly as dictionaries: each different text once, and a code per record. */
import {
  createScanMemory,
  type LinesScan,
  type PieceScan,
  type ScanFields,
  slack,
  targetBytes,
  targetFlags,
  targetKinds,
} from './scan-memory.js'

/** The texts of a field in the records of a batch. */
export interface RecordDictionary {
  /** Per record the number of its text; 0 is null. */
  readonly codes: Int32Array
  /** Texts that JSON writes as they stand, one behind the other, and where each ends: that of number 0 is empty. */
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

/** Fields of records in a memory that they are read into. */
export interface RecordScan {
  /** One per field. */
  readonly dictionaries: readonly RecordDictionary[]
  /** Starts a piece of CSV. @param piece - whole rows @param header - names of its fields @returns its scan; rows count within their batch */
  csv(piece: Uint8Array, header: readonly string[]): PieceScan
  /** Starts a piece of JSON Lines. @param piece - whole lines @returns its scan; rows count within their batch */
  json(piece: Uint8Array): LinesScan
  /** Begins a batch. */
  reset(): void
}

const textsAt = 32
const slotsBytes = 2 * 16_384
/** More records share no dictionary: half of its places would be taken. */
const mostRecords = 8_192

/**
 * Lays out a memory for the fields of records.
 *
 * @param plan - `fields`: their names; `records`: most of a batch; `bytes`: of the largest piece; `fieldLength`: most bytes of a field
 * @returns dictionaries and scans; undefined where batches are too large, or there is no memory
 */
export function createRecordScan(plan: {
  readonly fields: readonly string[]
  readonly records: number
  readonly bytes: number
  readonly fieldLength: number
}): RecordScan | undefined {
  const { fields, records, bytes, fieldLength } = plan
  if (records > mostRecords) return undefined
  const each = targetBytes + 4 * records + bytes + slack + 4 * (records + 2) + slotsBytes + 64
  const memory = createScanMemory(fields.length * each, fields.length, bytes)
  if (memory === undefined) return undefined
  const { buffer, view, reserve } = memory
  const made = fields.map(() => {
    const at = reserve(targetBytes)
    const codes = new Int32Array(buffer, reserve(4 * records), records)
    const texts = new Uint8Array(buffer, reserve(bytes + slack), bytes)
    const ends = new Uint32Array(buffer, reserve(4 * (records + 2)), records + 2)
    const slots = new Uint8Array(buffer, reserve(slotsBytes), slotsBytes)
    view.setUint32(at, targetKinds.dictionary, true)
    view.setUint32(at + 4, targetFlags.takesNull | targetFlags.takesNumber, true)
    view.setUint32(at + 16, codes.byteOffset, true)
    view.setUint32(at + 20, texts.byteOffset, true)
    view.setUint32(at + 24, ends.byteOffset, true)
    view.setUint32(at + 28, texts.length, true)
    // Null and a text per record.
    view.setUint32(at + 36, records + 1, true)
    view.setUint32(at + 56, slots.byteOffset, true)
    return { at, slots, dictionary: { codes, bytes: texts, ends } }
  })
  const reset = () => {
    for (const { at, slots } of made) {
      view.setUint32(at + textsAt, 1, true)
      slots.fill(0)
    }
  }
  reset()
  const scanFields: ScanFields = {
    fieldLength,
    targetOf: (field) => made[fields.indexOf(field)]?.at ?? 0,
    unfilled: (named) => made.filter((_, index) => !named.has(fields[index] ?? '')).map(({ at }) => at),
  }
  return {
    dictionaries: made.map(({ dictionary }) => dictionary),
    csv: (piece, header) => memory.csv(piece, header, scanFields),
    json: (piece) => memory.json(piece, scanFields),
    reset,
  }
}
