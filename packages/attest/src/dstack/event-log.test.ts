import { sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { canonicalBytes } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { replayRegister } from '../event-log/replay.js'
import { compose, dstackLog, runtimeEvent } from '../testing/platform-fixture.js'
import type { TdxClaims } from '../verdict/verdict.js'
import {
  type DstackEvent,
  dstackEventLogSchema,
  dstackRuntimeEventType,
  verifyDstackEventLog,
} from './event-log.js'

type Log = readonly DstackEvent[]
const claimsOf = (log: Log) => ({
  rtmrs: [0, 1, 2, 3].map((imr) => {
    const digests = log.filter((one) => one.imr === imr).map(({ digest }) => hexToBytes(digest))
    return `0x${bytesToHex(replayRegister(digests))}`
  }) as unknown as TdxClaims['rtmrs'],
})
/** What does not pass of a log, held against the registers that another log gives. */
const open = (log: Log, measured: Log = log) =>
  verifyDstackEventLog({ eventLog: log, claims: claimsOf(measured), compose })
    .checks.filter(({ result }) => result !== 'pass')
    .map(({ id }) => id)
const runtime = (change: (one: DstackEvent) => Partial<DstackEvent>) =>
  dstackLog.map((one) => (one.imr === 3 ? { ...one, ...change(one) } : one))
const second = runtime(({ event: name, event_payload: payload }) => ({
  digest: bytesToHex(sha384(canonicalBytes({ name, payload, type: dstackRuntimeEventType }))),
}))
const [first] = dstackLog.filter(({ imr }) => imr === 3)
if (first === undefined) throw new Error('no runtime event')

describe('verifyDstackEventLog', () => {
  it('passes digests of either version, and those that newer guests leave out', () => {
    expect(open(dstackLog)).toEqual([])
    expect(open(second)).toEqual([])
    for (const measured of [dstackLog, second])
      expect(
        open(
          runtime(() => ({ digest: '' })),
          measured,
        ),
      ).toEqual([])
  })

  it('fails a digest that is left out where nothing tells it', () => {
    const firmware = dstackLog.map((one) => (one.imr === 0 ? { ...one, digest: '' } : one))
    expect(open(firmware, dstackLog)).toEqual(['rtmr0'])
    // Of another type, an event of register 3 has no digest that follows from it.
    const other = runtime((one) => (one === first ? { digest: '', event_type: 1 } : {}))
    expect(open(other, dstackLog)).toEqual(['rtmr3', 'event-digests', 'compose-hash'])
  })

  it('fails names and payloads that their digests are not of, though the log replays', () => {
    for (const change of [{ event: 'other' }, { event_payload: '00' }, { event_type: 1 }])
      expect(open(runtime((one) => (one === first ? change : {})))).toContain('event-digests')
  })

  it.each<[string, Log]>([
    ['without app id', dstackLog.filter(({ event }) => event !== 'app-id')],
    ['without compose hash', dstackLog.filter(({ event }) => event !== 'compose-hash')],
    ['without an end of the boot', dstackLog.filter(({ event }) => event !== 'system-ready')],
    ['with an event twice', [...dstackLog.slice(0, 4), ...dstackLog.slice(3)]],
    ['in another order', [...dstackLog.slice(0, 3), dstackLog[4] ?? first, first, ...dstackLog.slice(5)]],
  ])('fails a boot %s', (_, log) => {
    expect(open(log)).toEqual(['boot-order', 'compose-hash'])
  })

  it('takes what stands behind the boot for the app’s word', () => {
    const log = [...dstackLog, runtimeEvent('key-provider', '00'), runtimeEvent('compose-hash', '00')]
    const { ok, facts } = verifyDstackEventLog({ eventLog: log, claims: claimsOf(log), compose })
    expect([ok, facts.keyProvider]).toEqual([true, '{"name":"kms","id":"3059"}'])
    expect(facts.appEvents.map(({ name }) => name)).toEqual(['app-says', 'key-provider', 'compose-hash'])
  })

  it.each<[string, unknown]>([
    ['a name that is no Unicode text', [{ ...first, event: '\ud800' }]],
    [
      'a name that is no Unicode text, from JSON',
      JSON.parse(JSON.stringify([{ ...first, event: 'a\udc00b' }])),
    ],
    ['payloads of more than 8 MiB', Array(9).fill({ ...first, event_payload: '00'.repeat(1 << 20) })],
    ['a payload of more than 1 MiB', [{ ...first, event_payload: '00'.repeat((1 << 20) + 1) }]],
    ['more than 10,000 events', Array(10_001).fill(first)],
  ])('refuses a log with %s', (_, eventLog) => {
    const ask = () => verifyDstackEventLog({ eventLog, claims: claimsOf(dstackLog) })
    expect(ask).toThrow(expect.objectContaining({ name: 'AttestError', code: 'BAD_EVENT_LOG' }))
  })

  it('reads payloads of 8 MiB, and names beyond 16 bits', () => {
    const whole = [
      ...Array(8).fill({ ...first, event_payload: '00'.repeat(1 << 20) }),
      { ...first, event: '😀', event_payload: '' },
    ]
    expect(dstackEventLogSchema.parse(whole)).toHaveLength(9)
  })

  it('asks for the compose text', () => {
    const claims = claimsOf(dstackLog)
    const result = (text?: string) =>
      verifyDstackEventLog({ eventLog: dstackLog, claims, ...(text === undefined ? {} : { compose: text }) })
    expect(result().checks.at(-1)?.result).toBe('not-checked')
    expect(result(`${compose} `).checks.at(-1)?.result).toBe('fail')
  })
})
