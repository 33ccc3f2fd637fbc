import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { canonicalBytes } from '@sealpool/crypto'
import { needText } from '../encoding/argument.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { replayRegister } from '../event-log/replay.js'
import { integer, list, type Reader, record, type Schema, ShapeError, schema, text } from '../shape/shape.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import type { Hex, TdxClaims } from '../verdict/verdict.js'

/** One entry of dstack's event log, as its guest agent gives it (hex without 0x). */
export type DstackEvent = {
  /** Index of the register, 0 to 3. */
  imr: number
  event_type: number
  digest: string
  event: string
  event_payload: string
}

const hexOf = (bytes: number): Reader<string> =>
  text({ max: bytes * 2, pattern: /^(?:[0-9a-f]{2})*$/, what: 'lower-case hex' })

/** Bytes of all payloads together; each is hashed in either version's form. */
const maximumPayloads = 8 << 20

/** Schema of an event log; further fields of an entry are not looked at. */
export const dstackEventLogSchema: Schema<DstackEvent[]> = /* @__PURE__ */ (() => {
  const events = list(
    record<DstackEvent>(
      {
        imr: integer(0, 3),
        event_type: integer(0, 0xffffffff),
        digest: hexOf(48),
        event: text({ max: 1000 }),
        event_payload: hexOf(1 << 20),
      },
      'drop',
    ),
    { max: 10_000 },
  )
  return schema('BAD_EVENT_LOG', 'eventLog', 'Not a dstack event log', (value, place) => {
    const log = events(value, place)
    const digits = log.reduce((sum, { event_payload }) => sum + event_payload.length, 0)
    if (digits > 2 * maximumPayloads)
      throw new ShapeError(place, `its payloads have more than ${maximumPayloads} bytes`)
    return log
  })
})()

/** Type of the events that dstack itself writes, all of them into register 3. */
export const dstackRuntimeEventType = 0x08000001

/** What an event log says about the app; worth something only when the verdict is ok. */
export interface DstackFacts {
  readonly appId: Hex | null
  readonly composeHash: Hex | null
  readonly instanceId: Hex | null
  /** The key provider's own JSON text. */
  readonly keyProvider: string | null
  /** What the key provider told the guest: no register holds it (dstack issue 1291). */
  readonly osImageHash: Hex | null
  /** Events after `system-ready`: written by the app itself, so never to be believed about the platform. */
  readonly appEvents: readonly { readonly name: string; readonly payload: Hex }[]
}

/** Answer of {@link verifyDstackEventLog}. */
export interface DstackVerdict {
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** RTMR0 to RTMR3 of the quote that the log was held against, by which the two belong together; null when there was none. */
  readonly rtmrs: TdxClaims['rtmrs'] | null
  readonly facts: DstackFacts
}

/** Every question of {@link verifyDstackEventLog}. */
export const dstackCheckTitles = {
  rtmr0: 'The log replays to RTMR0',
  rtmr1: 'The log replays to RTMR1',
  rtmr2: 'The log replays to RTMR2',
  rtmr3: 'The log replays to RTMR3',
  'event-digests': 'Every runtime event’s digest is the digest of its name and payload',
  'boot-order': 'The platform’s events stand once each, in the order of a boot',
  'compose-hash': 'The app’s compose text is the one that was measured',
} as const

/**
 * The hash by which dstack names an app: SHA-256 of the compose text byte for byte as it was deployed.
 *
 * @param compose the text of app-compose.json
 * @returns SHA-256 as 0x and lower-case hex
 */
export function composeHash(compose: string): Hex {
  needText(compose, 'compose')
  return `0x${bytesToHex(sha256(new TextEncoder().encode(compose)))}`
}

/**
 * The digest under which a runtime event is extended: version 1 over type, name and payload, version 2 over canonical JSON.
 *
 * @returns 48 bytes
 */
function runtimeDigest(event: DstackEvent, version: 1 | 2): Uint8Array {
  const { event_type: type, event: name, event_payload: payload } = event
  if (version === 2) return sha384(canonicalBytes({ name, payload, type }))
  const number = new Uint8Array(4)
  new DataView(number.buffer).setUint32(0, type, true)
  const utf8 = (value: string) => new TextEncoder().encode(value)
  return sha384(concatBytes(number, utf8(':'), utf8(name), utf8(':'), hexToBytes(payload)))
}

/** Newer guests leave out digests that follow from name and payload; they then follow from them here. */
function digestOfEvent(event: DstackEvent, version: 1 | 2): Uint8Array {
  const derived = event.digest === '' && event.imr === 3 && event.event_type === dstackRuntimeEventType
  return derived ? runtimeDigest(event, version) : hexToBytes(event.digest)
}

/** Events of the platform, in the order of a boot; those with a question mark do not occur in every version. */
const bootOrder = [
  'system-preparing',
  'rootfs-hash',
  'app-id',
  'compose-hash',
  'instance-id',
  'boot-mr-done',
  'mr-kms',
  'os-image-hash',
  'key-provider',
  'storage-fs',
  'system-ready',
]
const required = ['app-id', 'compose-hash', 'system-ready']

/**
 * Holds dstack's event log against the registers of a verified TDX quote: replay of all four, digests recomputed from names
 * and payloads, each of the platform's events once and before `system-ready`. What a digest of registers 0 to 2 *means* is
 * not proved by its own text: compare those registers with measurements of the image.
 *
 * @param options the log, the registers to hold it against, and what else is known
 * @param options.eventLog JSON as the guest agent gives it
 * @param options.claims registers of the quote; verify the quote first
 * @param options.compose text of app-compose.json; without it the app stays unproved
 * @returns every check, and the facts that the log records
 * @throws AttestError `BAD_EVENT_LOG` when it is no event log
 */
export function verifyDstackEventLog(options: {
  readonly eventLog: unknown
  readonly claims: Pick<TdxClaims, 'rtmrs'>
  readonly compose?: string
}): DstackVerdict {
  const log = dstackEventLogSchema.parse(options.eventLog)
  const checks = checkList(dstackCheckTitles)
  for (const index of [0, 1, 2, 3] as const) {
    checks.run(`rtmr${index}`, [], () => {
      const part = log.filter(({ imr }) => imr === index)
      const register = hexToBytes(options.claims.rtmrs[index].slice(2))
      const same = ([1, 2] as const).some((version) =>
        sameBytes(replayRegister(part.map((event) => digestOfEvent(event, version))), register),
      )
      return same ? pass(`${part.length} events.`) : fail(`its ${part.length} events give another value`)
    })
  }
  const events = log.filter(({ imr }) => imr === 3)
  checks.run('event-digests', [], () => {
    const wrong = events.findIndex((event) => {
      if (event.event_type !== dstackRuntimeEventType) return true
      const digests = ([1, 2] as const).map((version) => bytesToHex(runtimeDigest(event, version)))
      return event.digest !== '' && !digests.includes(event.digest)
    })
    return wrong < 0
      ? pass(`${events.length} events.`)
      : fail(`event ${wrong} of register 3 has another digest`)
  })
  const ready = events.findIndex(({ event }) => event === 'system-ready')
  const platform = ready < 0 ? events : events.slice(0, ready + 1)
  checks.run('boot-order', [], () => {
    const names = platform.map(({ event }) => event)
    const missing = required.find((name) => !names.includes(name))
    if (missing !== undefined) return fail(`the event ${missing} is missing`)
    const places = names.map((name) => bootOrder.indexOf(name)).filter((place) => place >= 0)
    const ordered = places.every((place, i) => place > (places[i - 1] ?? -1))
    return ordered
      ? pass(`${names.length} events up to system-ready.`)
      : fail('an event stands twice or out of order')
  })
  const found = (name: string) => platform.find(({ event }) => event === name)?.event_payload
  const hex = (name: string): Hex | null => {
    const payload = found(name)
    return payload === undefined ? null : `0x${payload}`
  }
  checks.run('compose-hash', ['rtmr3', 'event-digests', 'boot-order'], () => {
    if (options.compose === undefined) return notChecked('The compose text was not given.')
    return composeHash(options.compose) === hex('compose-hash')
      ? pass('The hashes agree.')
      : fail('it is another text')
  })
  const provider = found('key-provider')
  return {
    ok: checks.ok(),
    checks: checks.list(),
    rtmrs: options.claims.rtmrs,
    facts: {
      appId: hex('app-id'),
      composeHash: hex('compose-hash'),
      instanceId: hex('instance-id'),
      keyProvider: provider === undefined ? null : new TextDecoder().decode(hexToBytes(provider)),
      osImageHash: hex('os-image-hash'),
      appEvents: events
        .slice(ready < 0 ? events.length : ready + 1)
        .map(({ event, event_payload }) => ({ name: event, payload: `0x${event_payload}` })),
    },
  }
}
