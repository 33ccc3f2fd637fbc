/**
 * Samples of FIT files (Flexible and Interoperable Data Transfer): headers, definition and data messages, compressed time
 * stamps, check sums, chained files. Source: the published description of the FIT protocol, and its profile for the messages
 * `record` (20), `session` (18) and `sport` (12).
 */
import type { ActivitySample } from '../../define/record-types.js'
import { RefineError } from '../../errors.js'
import { printInstant } from '../../schema/instant.js'
import type { FullSourceLimits } from '../source-limits.js'
import { bySession, checkSessions, type FitSample, type FitSession, sessionStart } from './fit-sessions.js'
import { emptySample } from './sample.js'

const crcTable = [
  0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000,
  0x9c01, 0x8801, 0x4400,
]
/** 1989-12-31T00:00:00Z, the epoch of FIT, in seconds of Unix. */
const epoch = 631_065_600
/** Times below this are seconds since the device was switched on, not since {@link epoch}. */
const leastInstant = 0x10000000
const message = { sport: 12, session: 18, record: 20 } as const
const sports: Readonly<Record<number, string>> = {
  0: 'generic',
  1: 'running',
  2: 'cycling',
  4: 'fitness_equipment',
  5: 'swimming',
  10: 'training',
  11: 'walking',
  12: 'cross_country_skiing',
  13: 'alpine_skiing',
  15: 'rowing',
  17: 'hiking',
  19: 'paddling',
}

function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    for (const nibble of [byte & 0xf, byte >> 4]) {
      const fold = crcTable[crc & 0xf] ?? 0
      crc = ((crc >> 4) & 0x0fff) ^ fold ^ (crcTable[nibble] ?? 0)
    }
  }
  return crc
}

interface FieldDefinition {
  readonly number: number
  readonly size: number
  readonly base: number
}

interface Definition {
  readonly global: number
  readonly little: boolean
  readonly fields: readonly FieldDefinition[]
  readonly size: number
}

function invalid(offset: number, what: string): RefineError {
  return new RefineError('FIT_INVALID', `byte ${offset}`, what)
}

/** A single number of a base type, or undefined for what the type calls invalid and for lists. */
function readField(view: DataView, at: number, field: FieldDefinition, little: boolean): number | undefined {
  const one = <Value extends number>(size: number, value: () => Value, none: number): number | undefined => {
    if (field.size !== size) return undefined
    const found = value()
    return found === none ? undefined : found
  }
  switch (field.base & 0x1f) {
    case 0:
    case 2:
      return one(1, () => view.getUint8(at), 0xff)
    case 10:
      return one(1, () => view.getUint8(at), 0)
    case 1:
      return one(1, () => view.getInt8(at), 0x7f)
    case 3:
      return one(2, () => view.getInt16(at, little), 0x7fff)
    case 4:
      return one(2, () => view.getUint16(at, little), 0xffff)
    case 5:
      return one(4, () => view.getInt32(at, little), 0x7fffffff)
    case 6:
      return one(4, () => view.getUint32(at, little), 0xffffffff)
    default:
      return undefined
  }
}

const degrees = (semicircles: number) => Math.round(((semicircles * 180) / 2 ** 31) * 1e7) / 1e7
const thousandth = (value: number) => Math.round(value * 1000) / 1000

/**
 * Reads the samples of FIT files; several may follow each other in one export.
 *
 * @param bytes - the export
 * @param limits - `records`
 * @returns the samples, each with the number and the sport of the session in whose time it lies (a file without sessions is one
 *   activity); a time that the device counted from its start is null; altitude and speed are taken from the enhanced fields where both are there
 * @throws RefineError with `FIT_INVALID` or `LIMIT_EXCEEDED`; `place` is a byte's offset
 */
export function fitSamples(
  bytes: Uint8Array,
  limits: Pick<FullSourceLimits, 'records'>,
): readonly ActivitySample[] {
  const samples: ActivitySample[] = []
  let start = 0
  let activity = 0
  do {
    const file = readFile(bytes, start, { activity, room: limits.records - samples.length })
    for (const sample of file.samples) samples.push(sample)
    start = file.end
    activity += file.activities
  } while (start < bytes.length)
  return samples
}

/** One file from `start`: where it ends, its samples, at most `room`, and how many activities they are of; the first is `activity`. */
function readFile(
  bytes: Uint8Array,
  start: number,
  { activity, room }: { readonly activity: number; readonly room: number },
): { readonly end: number; readonly samples: readonly ActivitySample[]; readonly activities: number } {
  const headerSize = bytes[start] ?? 0
  if ((headerSize !== 12 && headerSize !== 14) || start + headerSize > bytes.length)
    throw invalid(start, 'No FIT header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(start + 8, true) !== 0x5449462e) throw invalid(start + 8, 'The mark .FIT is missing')
  const end = start + headerSize + view.getUint32(start + 4, true)
  if (end + 2 > bytes.length) throw invalid(start + 4, 'The file is cut off')
  const headerSum = headerSize === 14 ? view.getUint16(start + 12, true) : 0
  if (headerSum !== 0 && headerSum !== crc16(bytes.subarray(start, start + 12))) {
    throw invalid(start + 12, "The header's check sum is wrong")
  }
  if (view.getUint16(end, true) !== crc16(bytes.subarray(start, end)))
    throw invalid(end, "The file's check sum is wrong")

  const definitions = new Map<number, Definition>()
  const samples: FitSample[] = []
  const sessions: FitSession[] = []
  let sport: string | null = null
  // Behind the last session: the sport that was told, the time of the first sample.
  let told: string | null = null
  let since: number | undefined
  let lastTime = 0
  let at = start + headerSize
  const need = (count: number) => {
    if (at + count > end) throw invalid(at, 'A message is cut off')
  }
  while (at < end) {
    const header = bytes[at] ?? 0
    const compressed = (header & 0x80) !== 0
    at += 1
    if (!compressed && (header & 0x40) !== 0) {
      need(5)
      const little = bytes[at + 1] === 0
      if (!little && bytes[at + 1] !== 1) throw invalid(at + 1, 'A definition has no byte order')
      const global = view.getUint16(at + 2, little)
      const count = bytes[at + 4] ?? 0
      at += 5
      need(3 * count)
      const fields: FieldDefinition[] = []
      let size = 0
      for (let index = 0; index < count; index += 1, at += 3) {
        const field = { number: bytes[at] ?? 0, size: bytes[at + 1] ?? 0, base: bytes[at + 2] ?? 0 }
        // What has no bytes has no value, and would cost time in each message of one byte.
        if (field.size > 0) fields.push(field)
        size += field.size
      }
      if ((header & 0x20) !== 0) {
        need(1)
        const own = bytes[at] ?? 0
        at += 1
        need(3 * own)
        for (let index = 0; index < own; index += 1, at += 3) size += bytes[at + 1] ?? 0
      }
      definitions.set(header & 0xf, { global, little, fields, size })
      continue
    }
    const definition = definitions.get(compressed ? (header >> 5) & 3 : header & 0xf)
    if (definition === undefined) throw invalid(at - 1, 'A message comes before its definition')
    need(definition.size)
    const values = new Map<number, number>()
    let from = at
    for (const field of definition.fields) {
      const value = readField(view, from, field, definition.little)
      if (value !== undefined) values.set(field.number, value)
      from += field.size
    }
    at += definition.size
    if (compressed) {
      const offset = header & 0x1f
      lastTime += (offset - (lastTime & 0x1f) + 0x20) & 0x1f
      values.set(253, lastTime)
    } else lastTime = values.get(253) ?? lastTime
    if (definition.global === message.session || definition.global === message.sport) {
      const code = values.get(definition.global === message.session ? 5 : 0)
      if (code !== undefined) sport = told = sports[code] ?? `sport-${code}`
    }
    if (definition.global === message.session) {
      checkSessions(sessions.push({ sport: told, start: sessionStart(values, since) }))
      told = null
      since = undefined
    }
    if (definition.global !== message.record) continue
    if (samples.length >= room)
      throw new RefineError('LIMIT_EXCEEDED', 'source', 'The export has too many samples')
    const time = values.get(253)
    since ??= time
    samples.push({ sample: sampleOf(values, activity), time })
  }
  if (sessions.length > 1)
    return { end: end + 2, samples: bySession(samples, sessions, activity), activities: sessions.length }
  // The sport stands behind the samples, in the session.
  return { end: end + 2, samples: samples.map(({ sample }) => ({ ...sample, sport })), activities: 1 }
}

function sampleOf(values: ReadonlyMap<number, number>, activity: number): ActivitySample {
  const sample = emptySample(activity, null)
  const scaled = (number: number, scale: number, offset = 0) => {
    const value = values.get(number)
    return value === undefined ? null : thousandth(value / scale - offset)
  }
  const time = values.get(253)
  const latitude = values.get(0)
  const longitude = values.get(1)
  sample.time =
    time === undefined || time < leastInstant
      ? null
      : (printInstant(BigInt(time + epoch) * 1_000_000n) ?? null)
  if (latitude !== undefined && longitude !== undefined && Math.abs(latitude) <= 2 ** 30) {
    sample.latitude = degrees(latitude)
    sample.longitude = degrees(longitude)
  }
  sample.altitude = scaled(78, 5, 500) ?? scaled(2, 5, 500)
  sample.heartRate = values.get(3) ?? null
  sample.cadence = values.get(4) ?? null
  sample.distance = scaled(5, 100)
  sample.speed = scaled(73, 1000) ?? scaled(6, 1000)
  sample.power = values.get(7) ?? null
  sample.temperature = values.get(13) ?? null
  return sample
}
