import { sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import type { TdxClaims } from '../verdict/verdict.js'
import { replayRegister } from './replay.js'

/** One event of a firmware's log (TCG_PCR_EVENT2). */
export interface FirmwareEvent {
  /** Measurement register: 0 is MRTD, 1 to 4 are RTMR0 to RTMR3. */
  readonly register: number
  /** TCG event type. */
  readonly type: number
  /** SHA-384, 48 bytes. */
  readonly digest: Uint8Array
  readonly data: Uint8Array
}

const noAction = 3
const separator = 4
const sha384Algorithm = 0x000c
const digestSizes: Readonly<Record<number, number>> = { 4: 20, 11: 32, 12: 48, 13: 64, 18: 32 }
const maximumEvents = 10_000
const lastRegister = 4
/** Digests of what TCG has separators say; the third value there is tells of an error. */
const separatorDigests: ReadonlySet<string> = /* @__PURE__ */ new Set(
  [0, 0xff].map((octet) => bytesToHex(sha384(new Uint8Array(4).fill(octet)))),
)

/**
 * Reads the event log that an ACPI CCEL table points to (TCG PC client platform firmware profile, crypto-agile format; UEFI
 * confidential computing). Total: any bytes give events or a typed error.
 *
 * @param bytes the log's area; what follows the last event is filled with 0x00 or 0xff
 * @returns the events in the order of the log, without its header
 * @throws AttestError `BAD_EVENT_LOG`
 */
export function parseFirmwareEventLog(bytes: Uint8Array): FirmwareEvent[] {
  needBytes(bytes, 'log')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const bad = (what: string) =>
    new AttestError('BAD_EVENT_LOG', `byte ${at}`, `Not a firmware event log: ${what}`)
  const skip = (length: number) => {
    if (length > bytes.length - at) throw bad('it ends too early')
    at += length
    return at - length
  }
  const u32 = () => view.getUint32(skip(4), true)
  const take = (length: number) => {
    const start = skip(length)
    return bytes.subarray(start, start + length)
  }
  u32()
  if (u32() !== noAction) throw bad('the first event must say which digests are used')
  skip(20)
  const header = take(u32())
  if (String.fromCharCode(...header.subarray(0, 15)) !== 'Spec ID Event03')
    throw bad('it is not crypto-agile')
  const events: FirmwareEvent[] = []
  while (at < bytes.length) {
    if (bytes.length - at < 4 || [0, 0xffffffff].includes(view.getUint32(at, true))) {
      // Register 0 may be a real one: only when nothing but filling follows is this the end.
      const filling = bytes[at]
      if (bytes.subarray(at).every((octet) => octet === filling)) break
    }
    if (events.length >= maximumEvents) throw bad(`more than ${maximumEvents} events`)
    const [register, type, count] = [u32(), u32(), u32()]
    if (register > lastRegister || count < 1 || count > 8) throw bad('an event is not as the format has it')
    let digest: Uint8Array | undefined
    for (let i = 0; i < count; i += 1) {
      const algorithm = view.getUint16(skip(2), true)
      const size = digestSizes[algorithm]
      if (size === undefined) throw bad('a digest algorithm is not known')
      const value = take(size)
      if (algorithm !== sha384Algorithm) continue
      if (digest !== undefined) throw bad('an event has two SHA-384 digests')
      digest = value
    }
    const data = take(u32())
    if (digest === undefined) throw bad('an event has no SHA-384 digest')
    events.push({ register, type, digest, data })
  }
  return events
}

/** Every question of {@link verifyFirmwareEventLog}. */
export const firmwareCheckTitles = {
  rtmr0: 'The log replays to RTMR0',
  rtmr1: 'The log replays to RTMR1',
  rtmr2: 'The log replays to RTMR2',
  rtmr3: 'The log replays to RTMR3',
  registers: 'Every event that counts stands in one of these registers',
  separators: 'Each register has at most one separator, and it is one by type, data and digest',
} as const

/**
 * Holds a firmware's event log against the registers of a verified TDX quote. A log that replays proves which digests were
 * extended; what an event's data say is proved only where the digest is that of the data. Its type is proved for separators only,
 * and nothing at all for informational events (type 3), which no register holds.
 *
 * @param bytes the log's area
 * @param claims registers of the quote; verify the quote first
 * @returns every check, and the events
 * @throws AttestError `BAD_EVENT_LOG`
 */
export function verifyFirmwareEventLog(
  bytes: Uint8Array,
  claims: Pick<TdxClaims, 'rtmrs'>,
): { readonly ok: boolean; readonly checks: readonly Check[]; readonly events: readonly FirmwareEvent[] } {
  const events = parseFirmwareEventLog(bytes)
  const counted = events.filter(({ type }) => type !== noAction)
  const checks = checkList(firmwareCheckTitles)
  for (const index of [0, 1, 2, 3] as const) {
    const register = hexToBytes(claims.rtmrs[index].slice(2))
    const extended = counted.filter((event) => event.register === index + 1)
    checks.run(`rtmr${index}`, [], () => {
      // RTMR3 belongs to the operating system, which need not write into the firmware's log.
      if (index === 3 && extended.length === 0 && register.some((octet) => octet !== 0)) {
        return notChecked('It was extended, and the firmware’s log says nothing of it.')
      }
      const same = sameBytes(replayRegister(extended.map(({ digest }) => digest)), register)
      return same
        ? pass(`${extended.length} events.`)
        : fail(`its ${extended.length} events give another value`)
    })
  }
  checks.run('registers', [], () =>
    counted.every(({ register }) => register >= 1)
      ? pass('They all do.')
      : fail('an event stands in register 0 (MRTD), which no event extends'),
  )
  checks.run('separators', [], () => {
    const seen = new Set<number>()
    for (const { register, type, digest, data } of counted) {
      // An event's type is not measured: whoever writes the log could call a separator anything else.
      const separates = separatorDigests.has(bytesToHex(digest))
      if (type !== separator && !separates) continue
      if (type !== separator)
        return fail(`an event of register ${register} is a separator by its digest alone`)
      if (!separates || !sameBytes(sha384(data), digest))
        return fail(`a separator of register ${register} has another digest or other data`)
      if (seen.has(register))
        return fail(`register ${register} has two separators: events after the boot pose as before it`)
      seen.add(register)
    }
    return pass(`${seen.size} registers have one.`)
  })
  return { ok: checks.ok(), checks: checks.list(), events }
}
