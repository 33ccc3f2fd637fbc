import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64Url, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { decodeUrlSafe } from '../base64.js'
import { isObject, parseJson } from '../json-object.js'

/** Why disclosures do not fit what was signed. */
export type DisclosureProblem =
  | 'HASH_NOT_SUPPORTED'
  | 'DISCLOSURE_MALFORMED'
  | 'DISCLOSURE_REPEATED'
  | 'DISCLOSURE_NOT_REFERENCED'
  | 'DIGEST_REPEATED'
  | 'CLAIM_REPEATED'
  | 'TOO_DEEP'

/** Most disclosures of one presentation. */
const maximumDisclosures = 200
/** Disclosures nest: their values hold digests of others, so that each alone may be flat and all together deep. */
const deepest = 32

/** What was signed, with what was disclosed in its places. */
export interface DisclosedClaims {
  readonly claims: JsonObject
  /** Lists in the claims from which items were left out: what stands at a place of them is not what the issuer has put there. */
  readonly shortened: ReadonlySet<JsonValue>
}

/** Ends the reading; it never leaves the module. */
class Mismatch extends Error {
  readonly problem: DisclosureProblem
  constructor(problem: DisclosureProblem) {
    super(problem)
    this.problem = problem
  }
}

/**
 * Puts disclosed claims into the places of their digests (RFC 9901 section 7.1, step 3 on).
 *
 * @param payload what the issuer has signed, and the signature was verified
 * @param disclosures as they stand between the tildes; hostile
 * @returns the claims without digests, and those of their lists from which something was left out; or why there are none: a disclosure
 *   that nothing refers to, or a digest that stands twice, refuses them all
 */
export function discloseClaims(
  payload: JsonObject,
  disclosures: readonly string[],
): DisclosedClaims | { readonly problem: DisclosureProblem } {
  try {
    return disclosed(payload, disclosures)
  } catch (caught) {
    if (caught instanceof Mismatch) return { problem: caught.problem }
    throw caught
  }
}

function disclosed(payload: JsonObject, disclosures: readonly string[]): DisclosedClaims {
  const { _sd_alg: hash = 'sha-256', ...signed } = payload
  if (hash !== 'sha-256') throw new Mismatch('HASH_NOT_SUPPORTED')
  if (disclosures.length > maximumDisclosures) throw new Mismatch('DISCLOSURE_MALFORMED')
  const given = new Map<string, readonly JsonValue[]>()
  for (const text of disclosures) {
    const digest = encodeBase64Url(sha256(new TextEncoder().encode(text)))
    if (given.has(digest)) throw new Mismatch('DISCLOSURE_REPEATED')
    given.set(digest, readDisclosure(text))
  }
  const seen = new Set<string>()
  const shortened = new Set<JsonValue>()
  /** What stands behind a digest; undefined when it was not disclosed, or is a decoy. */
  const take = (digest: JsonValue | undefined, length: number): readonly JsonValue[] | undefined => {
    if (typeof digest !== 'string') throw new Mismatch('DISCLOSURE_MALFORMED')
    if (seen.has(digest)) throw new Mismatch('DIGEST_REPEATED')
    seen.add(digest)
    const found = given.get(digest)
    // A member of an object has a name, an item of a list has none.
    if (found !== undefined && found.length !== length) throw new Mismatch('DISCLOSURE_MALFORMED')
    return found
  }

  function open(value: JsonValue, depth: number): JsonValue {
    if (depth > deepest) throw new Mismatch('TOO_DEEP')
    if (Array.isArray(value)) return openList(value, depth)
    return isObject(value) ? openObject(value, depth + 1) : value
  }

  function openList(items: readonly JsonValue[], depth: number): readonly JsonValue[] {
    const opened = items.map((item) => openItem(item, depth + 1))
    const list = opened.flat()
    if (opened.some(({ length }) => length === 0)) shortened.add(list)
    return list
  }

  function openItem(item: JsonValue, depth: number): readonly JsonValue[] {
    if (!isObject(item) || !Object.hasOwn(item, '...')) return [open(item, depth)]
    if (Object.keys(item).length > 1) throw new Mismatch('DISCLOSURE_MALFORMED')
    const [, value] = take(item['...'], 2) ?? []
    return value === undefined ? [] : [open(value, depth)]
  }

  function openObject(object: JsonObject, depth: number): JsonObject {
    const { _sd: digests = [], ...rest } = object
    // Words of this format stand where it says, and nowhere else.
    if (Object.hasOwn(rest, '...') || Object.hasOwn(rest, '_sd_alg'))
      throw new Mismatch('DISCLOSURE_MALFORMED')
    if (!Array.isArray(digests)) throw new Mismatch('DISCLOSURE_MALFORMED')
    const members = new Map(Object.entries(rest).map(([name, value]) => [name, open(value, depth)]))
    for (const digest of digests as readonly JsonValue[]) {
      const [, name, value] = take(digest, 3) ?? []
      if (name === undefined || value === undefined) continue
      if (typeof name !== 'string' || reserved.includes(name)) throw new Mismatch('DISCLOSURE_MALFORMED')
      if (members.has(name)) throw new Mismatch('CLAIM_REPEATED')
      members.set(name, open(value, depth))
    }
    return Object.fromEntries(members)
  }

  const claims = openObject(signed, 0)
  if ([...given.keys()].some((digest) => !seen.has(digest))) throw new Mismatch('DISCLOSURE_NOT_REFERENCED')
  return { claims, shortened }
}

const reserved: readonly string[] = ['_sd', '_sd_alg', '...']

function readDisclosure(text: string): readonly JsonValue[] {
  const value = parseJson(decodeUrlSafe(text))
  const sound =
    Array.isArray(value) && (value.length === 2 || value.length === 3) && typeof value[0] === 'string'
  if (!sound) throw new Mismatch('DISCLOSURE_MALFORMED')
  return value
}
