import { sha384 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { encodeHex } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import {
  type EventDigest,
  eventType,
  firmwareEvent,
  firmwareHeader,
  firmwareLog,
  separatorData,
} from '../testing/firmware-log.js'
import { parseFirmwareEventLog, verifyFirmwareEventLog } from './ccel.js'
import { replayRegister } from './replay.js'

// Logs written here, each with one thing wrong, so that no check needs real evidence to be seen failing.

const { noAction, separator, action } = eventType
const data = Uint8Array.of(1, 2, 3)
const event = (digests: readonly EventDigest[], bytes = data) => firmwareEvent(1, action, bytes, digests)
const sha384Digest: EventDigest = [12, sha384(data)]
const zero = new Uint8Array(48)

/** The checks of a log against the registers that hold what these digests give. */
function checksOf(log: Uint8Array, extended: readonly (readonly Uint8Array[])[]) {
  const [a = '0x', b = '0x', c = '0x', d = '0x'] = [0, 1, 2, 3].map((index) =>
    encodeHex(replayRegister(extended[index] ?? [])),
  )
  const { ok, checks } = verifyFirmwareEventLog(log, { rtmrs: [a, b, c, d] })
  const named = (result: string) => checks.filter((check) => check.result === result).map(({ id }) => id)
  return { ok, fail: named('fail'), open: named('not-checked'), checks }
}
const mark = sha384(separatorData)
const booted = [[mark], [mark], [mark]]
const good = { ok: true, fail: [], open: [] }

describe('reading a firmware’s event log', () => {
  it('gives the events in their order, with all their fields', () => {
    const others: EventDigest[] = [
      [4, new Uint8Array(20)],
      [11, new Uint8Array(32)],
      [13, new Uint8Array(64)],
      [18, new Uint8Array(32)],
    ]
    const log = concatBytes(
      firmwareHeader(),
      event([...others, sha384Digest]),
      firmwareEvent(4, 0x80000001, zero),
    )
    expect(parseFirmwareEventLog(log)).toEqual([
      { register: 1, type: action, digest: sha384(data), data },
      { register: 4, type: 0x80000001, digest: sha384(zero), data: zero },
    ])
    expect(parseFirmwareEventLog(firmwareHeader())).toEqual([])
  })

  it('ends at the filling, of either kind, and takes an event of register 0 for none', () => {
    const log = firmwareLog()
    const { length } = parseFirmwareEventLog(log)
    for (const octet of [0, 0xff])
      for (const size of [1, 3, 4, 1000])
        expect(parseFirmwareEventLog(concatBytes(log, new Uint8Array(size).fill(octet)))).toHaveLength(length)
    const informs = firmwareEvent(0, noAction, data)
    expect(parseFirmwareEventLog(concatBytes(log, informs, event([sha384Digest])))).toHaveLength(length + 2)
    // What follows the filling would be events that nobody reads.
    for (const octet of [0, 0xff]) {
      const hidden = concatBytes(log, new Uint8Array(16).fill(octet), event([sha384Digest]))
      expect(() => parseFirmwareEventLog(hidden)).toThrow(AttestError)
    }
  })

  const log = (...events: Uint8Array[]) => concatBytes(firmwareHeader(), ...events)
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /ends too early/],
    ['a first event of another type', firmwareHeader(action), /which digests are used/],
    ['a first event of another text', firmwareHeader(noAction, 'Spec ID Event02\0'), /not crypto-agile/],
    ['a first event that says nothing', firmwareHeader(noAction, ''), /not crypto-agile/],
    ['a register that no TDX guest has', log(firmwareEvent(5, action, data)), /as the format has it/],
    ['no digest', log(event([])), /as the format has it/],
    ['nine digests', log(event(Array.from({ length: 9 }, () => sha384Digest))), /as the format has it/],
    ['a digest of an unknown algorithm', log(event([[99, zero]])), /algorithm is not known/],
    ['no SHA-384 digest', log(event([[11, new Uint8Array(32)]])), /no SHA-384/],
    ['two SHA-384 digests', log(event([sha384Digest, [12, zero]])), /two SHA-384/],
    ['data beyond the end', log(event([sha384Digest])).slice(0, -1), /ends too early/],
    ['a length beyond the end', log(event([sha384Digest]).fill(0xff, 62, 66)), /ends too early/],
    ['a cut head', log(event([sha384Digest]).slice(0, 11)), /ends too early/],
  ])('refuses %s', (_, bytes, says) => {
    expect(() => parseFirmwareEventLog(bytes)).toThrow(says)
    expect(() => parseFirmwareEventLog(bytes)).toThrow(expect.objectContaining({ code: 'BAD_EVENT_LOG' }))
  })

  it('reads ten thousand events and no more', () => {
    const one = firmwareEvent(1, action, new Uint8Array())
    const many = (count: number) => {
      const bytes = new Uint8Array(firmwareHeader().length + count * one.length)
      bytes.set(firmwareHeader())
      for (let i = 0; i < count; i += 1) bytes.set(one, firmwareHeader().length + i * one.length)
      return bytes
    }
    expect(parseFirmwareEventLog(many(10_000))).toHaveLength(10_000)
    expect(() => parseFirmwareEventLog(many(10_001))).toThrow(/more than 10000 events/)
  })

  it('is total, and a log cut at any byte is refused or has fewer events', () => {
    const whole = firmwareLog(event([sha384Digest]))
    const { length } = parseFirmwareEventLog(whole)
    for (let cut = 0; cut < whole.length; cut += 1) {
      try {
        expect(parseFirmwareEventLog(whole.slice(0, cut)).length).toBeLessThan(length)
      } catch (error) {
        expect(error).toMatchObject({ name: 'AttestError', code: 'BAD_EVENT_LOG' })
      }
    }
    const anything = fc.tuple(fc.constantFrom(0, firmwareHeader().length, whole.length), fc.uint8Array())
    fc.assert(
      fc.property(anything, ([kept, rest]) => {
        try {
          parseFirmwareEventLog(concatBytes(whole.slice(0, kept), rest))
        } catch (error) {
          expect(error).toMatchObject({ name: 'AttestError', code: 'BAD_EVENT_LOG' })
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a firmware’s event log against the registers', () => {
  it('passes when it replays, with informational events in it', () => {
    expect(checksOf(firmwareLog(), booted)).toMatchObject(good)
    const more = firmwareLog(
      firmwareEvent(1, noAction, data),
      firmwareEvent(0, noAction, data),
      event([sha384Digest]),
    )
    expect(checksOf(more, [[mark, sha384(data)], [mark], [mark]])).toMatchObject(good)
    const system = firmwareLog(firmwareEvent(4, action, data))
    expect(checksOf(system, [...booted, [sha384(data)]])).toMatchObject(good)
  })

  it('fails the register whose event is left out, added, changed or moved', () => {
    const other = sha384(Uint8Array.of(9))
    for (const index of [0, 1, 2, 3]) {
      const before = index === 3 ? [] : [mark]
      const here = (...digests: Uint8Array[]) =>
        booted.concat([[]]).map((one, i) => (i === index ? digests : one))
      const log = firmwareLog(firmwareEvent(index + 1, action, data))
      expect(checksOf(log, here(...before, sha384(data)))).toMatchObject(good)
      for (const digests of [before, [...before, other], [...before, sha384(data), other]])
        expect(checksOf(log, here(...digests))).toMatchObject({ ok: false, fail: [`rtmr${index}`] })
      const order = firmwareLog(
        firmwareEvent(index + 1, action, data),
        firmwareEvent(index + 1, action, zero),
      )
      expect(checksOf(order, here(...before, sha384(zero), sha384(data)))).toMatchObject({
        ok: false,
        fail: [`rtmr${index}`],
      })
    }
  })

  it('leaves open a register that only the operating system writes', () => {
    expect(checksOf(firmwareLog(), [...booted, [mark]])).toMatchObject({
      ok: false,
      fail: [],
      open: ['rtmr3'],
    })
  })

  it('leaves nothing open of a register that the firmware writes', () => {
    const { ok, fail, open } = checksOf(concatBytes(firmwareHeader()), [[mark], [mark], [mark]])
    expect([ok, fail, open]).toEqual([false, ['rtmr0', 'rtmr1', 'rtmr2'], []])
  })

  it('refuses an event in a register that no quote vouches for', () => {
    const log = firmwareLog(firmwareEvent(0, action, data))
    expect(checksOf(log, booted)).toMatchObject({ ok: false, fail: ['registers'] })
  })

  it('refuses a second separator, also one that poses as another event, and one with another digest', () => {
    const twice = (type: number, shown: Uint8Array, digest: Uint8Array) =>
      checksOf(firmwareLog(firmwareEvent(1, type, shown, [[12, digest]])), [[mark, digest], [mark], [mark]])
    const only = { ok: false, fail: ['separators'] }
    expect(twice(separator, separatorData, mark)).toMatchObject(only)
    // Types are no part of what is measured: whoever writes the log may call a separator what he likes.
    for (const value of [separatorData, new Uint8Array(4).fill(0xff)])
      expect(twice(action, data, sha384(value))).toMatchObject(only)
    const renamed = concatBytes(firmwareHeader(), firmwareEvent(1, action, separatorData))
    expect(checksOf(renamed, [[mark]])).toMatchObject(only)
    const wrong = concatBytes(firmwareHeader(), firmwareEvent(1, separator, separatorData, [[12, zero]]))
    expect(checksOf(wrong, [[zero]])).toMatchObject(only)
    // The digest of a separator, and data of another kind.
    for (const shown of [data, new Uint8Array(4).fill(0xff)]) {
      const dressed = concatBytes(firmwareHeader(), firmwareEvent(1, separator, shown, [[12, mark]]))
      expect(checksOf(dressed, [[mark]])).toMatchObject(only)
    }
    // Data of its own choice, and the digest of these.
    const called = concatBytes(firmwareHeader(), firmwareEvent(1, separator, data))
    expect(checksOf(called, [[sha384(data)]])).toMatchObject(only)
    const error = Uint8Array.of(1, 0, 0, 0)
    expect(
      checksOf(concatBytes(firmwareHeader(), firmwareEvent(1, separator, error)), [[sha384(error)]]),
    ).toMatchObject(only)
    const ones = new Uint8Array(4).fill(0xff)
    expect(
      checksOf(concatBytes(firmwareHeader(), firmwareEvent(1, separator, ones)), [[sha384(ones)]]),
    ).toMatchObject(good)
  })
})
