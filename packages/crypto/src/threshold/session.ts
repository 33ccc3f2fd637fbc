import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonValue } from '../canonical-json/canonicalize.js'
import type { Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import type { Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { exactFields, type FieldReader } from './exact-fields.js'
import { type GroupElement, generator, parsePoint, pointHex, scalarOf } from './group.js'

/** Most members of a committee: dealing costs members times threshold, judging members squared. */
export const maximumMembers = 100

/** One member of a committee; its index is its place in the list, from 1. */
export interface CommitteeMember {
  /** Whose signature the member's messages bear; in lower case. */
  readonly address: Address
  /** The point under which shares are sent to it; one key per session is wise, one key per member is enforced. */
  readonly encryptionKey: Hex
}

/** A member of a committee that holds a key. */
export interface KeyHolder extends CommitteeMember {
  /** The image of the member's share, against which its partial decryptions are checked. */
  readonly verificationKey: Hex
}

/**
 * A key that no single machine has: any `threshold` of its members open what is sealed to `publicKey`, fewer learn
 * nothing. Public; JSON throughout.
 */
export interface ThresholdKey {
  readonly type: 'sealpool/threshold-key'
  readonly version: 1
  readonly chainId: number
  /** The NodeRegistry. */
  readonly registry: Address
  readonly pool: Address
  /** The session that made it, or that reshared it last. */
  readonly session: Digest
  readonly publicKey: Hex
  readonly threshold: number
  readonly members: readonly KeyHolder[]
}

/**
 * What a committee is about to do: make a new key (`previous` is null), or take over an existing one (resharing to
 * other members or another threshold; to the same members it is a proactive refresh). Its digest stands in every
 * message, so nothing counts on another chain, for another pool or in another session.
 */
export interface ThresholdSession {
  readonly type: 'sealpool/threshold-session'
  readonly version: 1
  readonly chainId: number
  /** The NodeRegistry, verifying contract of the members' signatures. */
  readonly registry: Address
  readonly pool: Address
  /**
   * What tells sessions of one pool apart, such as the digest of policy, epoch and attempt; never used twice: in a second
   * attempt under the same one, a dealer's messages of the first could be replayed against it as `EQUIVOCATION`.
   */
  readonly purpose: Digest
  /** How many members are needed to open something: 2 to all. Above half of the members, some that stay away can block. */
  readonly threshold: number
  /** Who will hold the key: 2 to 100. */
  readonly members: readonly CommitteeMember[]
  /** The key to take over, or null. */
  readonly previous: ThresholdKey | null
}

const sessionFields = [
  'type',
  'version',
  'chainId',
  'registry',
  'pool',
  'purpose',
  'threshold',
  'members',
  'previous',
]
const placeFields = ['chainId', 'registry', 'pool'] as const
const keyFields = ['type', 'version', ...placeFields, 'session', 'publicKey', 'threshold', 'members']

/**
 * Reads a session of unknown origin.
 *
 * @param value - JSON
 * @returns the session, every field checked and no others
 * @throws CryptoError `SESSION_INVALID`, its place naming the field; also for a `previous` key of another chain,
 *   registry or pool
 */
export function parseThresholdSession(value: unknown): ThresholdSession {
  const reader = exactFields(value, sessionFields, 'SESSION_INVALID', '$')
  requireType(reader.fields, 'sealpool/threshold-session', '$')
  const members = parseMembers(
    reader.list('members', 2, maximumMembers),
    ['address', 'encryptionKey'],
    '$.members',
  )
  const held = reader.fields['previous']
  const previous = held === null || held === undefined ? null : parseKey(held, '$.previous')
  const place = placeOf(reader)
  for (const name of placeFields) {
    if (previous !== null && previous[name] !== place[name]) {
      throw new CryptoError(
        'SESSION_INVALID',
        `$.previous.${name}`,
        'the key is of another chain, registry or pool',
      )
    }
  }
  return {
    type: 'sealpool/threshold-session',
    version: 1,
    ...place,
    purpose: reader.digest('purpose'),
    threshold: reader.whole('threshold', 2, members.length),
    members,
    previous,
  }
}

function placeOf(reader: FieldReader): Pick<ThresholdKey, (typeof placeFields)[number]> {
  return {
    chainId: reader.whole('chainId', 1, Number.MAX_SAFE_INTEGER),
    registry: reader.address('registry'),
    pool: reader.address('pool'),
  }
}

/**
 * Reads a threshold key of unknown origin. That it is the outcome of its session is for `concludeSession` to say.
 *
 * @param value - JSON
 * @returns the key, every field checked and no others
 * @throws CryptoError `SESSION_INVALID`, its place naming the field
 */
export function parseThresholdKey(value: unknown): ThresholdKey {
  return parseKey(value, '$')
}

/**
 * What names a session in its messages.
 *
 * @param session - the session
 * @returns the SHA-256 of its canonical JSON
 * @throws CryptoError `SESSION_INVALID`
 */
export function thresholdSessionDigest(session: ThresholdSession): Digest {
  return digestOf(parseThresholdSession(session) as unknown as JsonValue)
}

/**
 * The point of a member's encryption key.
 *
 * @param encryptionKey - 32 secret bytes, below the group order and not zero
 * @returns the `encryptionKey` of a {@link CommitteeMember}
 * @throws CryptoError `KEY_INVALID`
 */
export function memberPublicKey(encryptionKey: Uint8Array): Hex {
  return pointHex(generator().multiply(requireSecret(encryptionKey, 'encryptionKey')))
}

/**
 * Reads a secret scalar.
 *
 * @param bytes - 32 bytes
 * @param place - named in the error
 * @returns the scalar, not zero
 * @throws CryptoError `KEY_INVALID`
 */
export function requireSecret(bytes: Uint8Array, place: string): bigint {
  const secret = scalarOf(bytes)
  if (secret === undefined || secret === 0n) {
    throw new CryptoError(
      'KEY_INVALID',
      place,
      'expected 32 bytes below the group order and not zero; draw others',
    )
  }
  return secret
}

/**
 * The point that a checked session, key or message holds.
 *
 * @param hex - a point that was parsed before
 * @returns the point
 * @throws CryptoError `SESSION_INVALID`
 */
export function knownPoint(hex: Hex): GroupElement {
  return parsePoint(hex, 'SESSION_INVALID', '$')
}

function parseKey(value: unknown, place: string): ThresholdKey {
  const reader = exactFields(value, keyFields, 'SESSION_INVALID', place)
  requireType(reader.fields, 'sealpool/threshold-key', place)
  const names = ['address', 'encryptionKey', 'verificationKey']
  const members = parseMembers(reader.list('members', 2, maximumMembers), names, `${place}.members`)
  return {
    type: 'sealpool/threshold-key',
    version: 1,
    ...placeOf(reader),
    session: reader.digest('session'),
    publicKey: pointHex(parsePoint(reader.fields['publicKey'], 'SESSION_INVALID', `${place}.publicKey`)),
    threshold: reader.whole('threshold', 2, members.length),
    members: members as readonly KeyHolder[],
  }
}

function parseMembers(
  values: readonly JsonValue[],
  names: readonly string[],
  place: string,
): readonly CommitteeMember[] {
  const seen = new Set<string>()
  return values.map((value, index) => {
    const at = `${place}[${index}]`
    const reader = exactFields(value, names, 'SESSION_INVALID', at)
    const member: Record<string, Hex> = { address: reader.address('address') }
    for (const name of names.slice(1)) {
      member[name] = pointHex(parsePoint(reader.fields[name], 'SESSION_INVALID', `${at}.${name}`))
    }
    // Two members with one encryption key: a complaint of one would lay open the other's share.
    for (const name of ['address', 'encryptionKey']) {
      const once = String(member[name])
      if (seen.has(once))
        throw new CryptoError('SESSION_INVALID', `${at}.${name}`, 'another member has the same')
      seen.add(once)
    }
    return member as unknown as CommitteeMember
  })
}

function requireType(fields: Readonly<Record<string, JsonValue>>, type: string, place: string): void {
  if (fields['type'] !== type || fields['version'] !== 1) {
    throw new CryptoError('SESSION_INVALID', `${place}.type`, `expected ${type}, version 1`)
  }
}
