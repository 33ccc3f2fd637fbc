import type { JsonObject } from '@sealpool/crypto'
import { decodeUrlSafe } from '../base64.js'
import { type AuthenticityFinding, failed, finding, verdictOf } from '../finding.js'
import { type TrustedKey, verifyJws } from '../jose/verify-jws.js'
import { isObject } from '../json-object.js'
import type { WorkMeter } from '../verification-budget.js'
import { clockTolerance } from './verify-sd-jwt.js'

/** What a list says of one token. */
export interface StatusFinding extends AuthenticityFinding {
  /** Unix seconds from which on the list is too old to be believed; undefined when it is not authentic, or says anything but valid. */
  readonly until: number | undefined
}

/** Longest list token in characters. */
const maximumToken = 196_608
/** Largest list, unpacked: a status of eight bits for a million tokens. */
const maximumList = 1_048_576
const widths: readonly unknown[] = [1, 2, 4, 8]

/**
 * Verifies a token status list (draft-ietf-oauth-status-list) and looks a token up in it. The list is an argument: nothing is fetched.
 *
 * @param options `claims` of the token, verified; `list`: the status list token (`statuslist+jwt`), null when there is none; `keys`
 *   whose lists count; `maximumAge`: seconds since the list was issued; `at`: Unix seconds; `work`: what it costs is taken off
 * @returns the finding: authentic only when the list is the one that the token names, fresh, and says that the token is valid (0)
 */
export async function verifyStatus(options: {
  readonly claims: JsonObject
  readonly list: string | null
  readonly keys: readonly TrustedKey[]
  readonly maximumAge: number
  readonly at: number
  readonly work?: WorkMeter
}): Promise<StatusFinding> {
  const { claims, list, keys, maximumAge, at, work } = options
  const stop = (reason: string): StatusFinding => ({
    ...finding('status-list', [failed('status', reason)], null),
    until: undefined,
  })
  const entry = entryOf(claims['status'])
  if (entry === undefined) return stop('NO_STATUS')
  if (list === null) return stop('STATUS_LIST_MISSING')
  if (list.length > maximumToken) return stop('STATUS_LIST_MALFORMED')
  const signed = verifyJws({
    token: list,
    keys,
    expect: { types: ['statuslist+jwt'] },
    at,
    kind: 'status-list',
    work,
  })
  if (signed.claims === undefined) return { ...finding('status-list', signed.checks, null), until: undefined }
  const { sub, iat, exp, status_list: packed } = signed.claims
  const until = typeof iat === 'number' ? iat + maximumAge : Number.NEGATIVE_INFINITY
  const value = await statusIn(packed, entry.index, work)
  const result = finding(
    'status-list',
    [
      ...signed.checks,
      verdictOf('status-list', sub === entry.uri, 'STATUS_OF_ANOTHER_LIST'),
      verdictOf(
        'status-time',
        until > at && typeof iat === 'number' && iat <= at + clockTolerance,
        'STATUS_STALE',
      ),
      value === undefined
        ? failed('status', 'STATUS_LIST_MALFORMED')
        : verdictOf('status', value === 0, 'STATUS_NOT_VALID'),
    ],
    signed.signer,
  )
  return {
    ...result,
    until: result.authentic ? Math.min(until, typeof exp === 'number' ? exp : until) : undefined,
  }
}

/** Of a token with several statuses one alone would be looked at: it has none that can be told. */
function entryOf(
  status: JsonObject[string] | undefined,
): { readonly index: number; readonly uri: string } | undefined {
  if (!isObject(status) || Object.keys(status).length !== 1) return undefined
  const entry = status['status_list']
  if (!isObject(entry)) return undefined
  const { idx, uri } = entry
  const sound = Number.isSafeInteger(idx) && (idx as number) >= 0 && typeof uri === 'string'
  return sound ? { index: idx as number, uri } : undefined
}

/** The status at a position; undefined when the list is none, or does not go as far. */
async function statusIn(
  packed: JsonObject[string] | undefined,
  index: number,
  work: WorkMeter | undefined,
): Promise<number | undefined> {
  if (!isObject(packed)) return undefined
  const { bits, lst } = packed
  const zipped = typeof lst === 'string' ? decodeUrlSafe(lst) : undefined
  if (!widths.includes(bits) || zipped === undefined) return undefined
  const list = await inflated(zipped, maximumList)
  work?.({ bytes: list?.length ?? 0 })
  const width = bits as number
  const perByte = 8 / width
  const byte = list?.[Math.floor(index / perByte)]
  return byte === undefined ? undefined : (byte >> ((index % perByte) * width)) & (2 ** width - 1)
}

/** Unpacks zlib's format and stops at the limit, however much more there would be. */
async function inflated(zipped: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    const stream = new Blob([zipped as Uint8Array<ArrayBuffer>]).stream()
    const reader = stream.pipeThrough(new DecompressionStream('deflate')).getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length
      if (size > limit) {
        await reader.cancel()
        return undefined
      }
      chunks.push(next.value)
    }
  } catch {
    // Not of that format, or cut off.
    return undefined
  }
  const list = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    list.set(chunk, at)
    at += chunk.length
  }
  return list
}
