/**
 * Capability tokens: what a holder may ask of a node, in the manner of macaroons (Birgisson et al., NDSS 2014). The node makes the
 * first link with a key that only it has; whoever holds a token can add caveats to it, offline, and nobody can take one away. A
 * caveat only narrows: the token grants what its head grants and every caveat allows.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type Address,
  CryptoError,
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  encodeBase64Url,
  equalBytes,
  parseCanonical,
} from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { address, digest, list, type Reader, record, ShapeProblem, text, whole } from '../node-api/shape.js'

/** What a signed-in wallet can be for a node. Operators and peers are known to the node besides; the others are not. */
export const accessRoles = ['contributor', 'consumer', 'operator', 'peer'] as const
/** One of {@link accessRoles}. */
export type AccessRole = (typeof accessRoles)[number]

/** What the node says in the first link. */
export interface CapabilityHead {
  readonly format: 'sealpool/capability'
  readonly version: 1
  /** 32 hex digits; revoking it revokes everything that was made of this token. */
  readonly id: string
  /** A session is the wallet itself; an agent acts for it and may call less. */
  readonly use: 'session' | 'agent'
  /** Digest of the key set of the node that made it: no other node takes it, nor the same one with other keys or settings. */
  readonly keySet: Digest
  /** For whom; lower case. */
  readonly address: Address
  readonly roles: readonly AccessRole[]
  /** Unix seconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** One narrowing. Every caveat of a token must hold for a call. */
export type Caveat =
  /** Unix seconds from which on the token is worth nothing. */
  | { readonly expires: number }
  /** The call is about these pools and no others; a call about no pool is refused. */
  | { readonly pools: readonly Address[] }
  /** The call is about one of these jobs; a call about no job is refused. */
  | { readonly jobs: readonly string[] }
  /** The call is one of these, for example `GET /v1/jobs/{id}/result`. */
  | { readonly endpoints: readonly string[] }
  /** A name of the token from here on, 32 hex digits: revoking it leaves what the token was made of. */
  | { readonly id: string }

/** A token, read and not yet believed. */
export interface Capability {
  readonly head: CapabilityHead
  readonly caveats: readonly Caveat[]
}

const prefix = 'sealpool1'
/** Longest token that is read. */
export const maximumCapabilityLength = 8_192
/** Most caveats of one token. */
export const maximumCaveats = 16
const listed = 64

const label = /* @__PURE__ */ new TextEncoder().encode('sealpool/capability/1\n')
const idText: Reader<string> = /* @__PURE__ */ text(/^[0-9a-f]{32}$/, '32 hex digits')
const lowerAddress: Reader<Address> = (value, place) => {
  const read = address(value, place)
  if (read !== read.toLowerCase()) throw new ShapeProblem(place, 'an address in lower case')
  return read
}
const oneOf =
  <T extends string>(values: readonly T[]): Reader<T> =>
  (value, place) => {
    const found = values.find((one) => one === value)
    if (found === undefined) throw new ShapeProblem(place, values.join(' or '))
    return found
  }
/** A list with something in it, and not without end. */
const some =
  <T>(read: Reader<T>): Reader<T[]> =>
  (value, place) => {
    const entries = list(read)(value, place)
    if (entries.length < 1 || entries.length > listed) throw new ShapeProblem(place, `1 to ${listed} entries`)
    return entries
  }

const readHead: Reader<CapabilityHead> = /* @__PURE__ */ (() =>
  record<CapabilityHead>({
    format: oneOf(['sealpool/capability']),
    version: (value, place) => {
      if (value !== 1) throw new ShapeProblem(place, 'version 1')
      return value
    },
    id: idText,
    use: oneOf(['session', 'agent']),
    keySet: digest,
    address: lowerAddress,
    roles: some(oneOf(accessRoles)),
    issuedAt: whole(0),
    expiresAt: whole(0),
  }))()

const caveatReaders: { readonly [Kind in string]?: (value: unknown, place: string) => Caveat } = {
  expires: (value, place) => ({ expires: whole(0)(value, place) }),
  pools: (value, place) => ({ pools: some(lowerAddress)(value, place) }),
  jobs: (value, place) => ({ jobs: some(text(/^(0|[1-9]\d{0,17})$/, 'a job number'))(value, place) }),
  endpoints: (value, place) => ({
    endpoints: some(text(/^(GET|POST) \/[\x21-\x7e]{1,200}$/, 'a method and a path'))(value, place),
  }),
  id: (value, place) => ({ id: idText(value, place) }),
}

const readCaveat: Reader<Caveat> = (value, place) => {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const [entry] = entries
  const reader =
    entry !== undefined && Object.hasOwn(caveatReaders, entry[0]) ? caveatReaders[entry[0]] : undefined
  // A caveat that is not understood cannot be checked: the token is worth nothing.
  if (entry === undefined || entries.length !== 1 || reader === undefined)
    throw new ShapeProblem(place, 'one caveat that is known')
  return reader(entry[1], place)
}

interface ReadToken extends Capability {
  /** Bytes of head and caveats, in order. */
  readonly links: readonly Uint8Array[]
  readonly tag: Uint8Array
}

function invalid(place: string, why: string): ClientError {
  return new ClientError('CAPABILITY_INVALID', place, `${why}; ask for another token`)
}

function readToken(token: unknown): ReadToken {
  if (typeof token !== 'string' || token.length > maximumCapabilityLength)
    throw invalid('capability', `it is no text of up to ${maximumCapabilityLength} characters`)
  const [start, ...parts] = token.split('.')
  const last = parts.pop()
  if (start !== prefix || last === undefined || parts.length < 1 || parts.length > maximumCaveats + 1)
    throw invalid('capability', 'it is none, or has too many parts')
  try {
    const links = parts.map((part) => decodeBase64Url(part))
    const tag = decodeBase64Url(last)
    if (tag.length !== 32) throw invalid('capability', 'its end is none')
    const [head, ...caveats] = links.map((bytes) => parseCanonical(bytes))
    return {
      head: exactly(readHead, head, 'head'),
      caveats: caveats.map((caveat, index) => exactly(readCaveat, caveat, `caveats.${index}`)),
      links,
      tag,
    }
  } catch (cause) {
    if (cause instanceof ShapeProblem) throw invalid(`capability.${cause.place}`, cause.message)
    if (cause instanceof CryptoError)
      throw invalid('capability', 'a part of it is no base64url of canonical JSON')
    throw cause
  }
}

/** Reads a value that has the known fields and no others: what a reader leaves out was not understood. */
function exactly<T extends object>(reader: Reader<T>, value: unknown, place: string): T {
  const read = reader(value, place)
  const given = typeof value === 'object' && value !== null ? Object.keys(value).length : 0
  if (given !== Object.keys(read).length) throw new ShapeProblem(place, 'no other fields')
  return read
}

function link(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hmac(sha256, key, bytes)
}

function firstLink(key: Uint8Array, head: Uint8Array): Uint8Array {
  return link(key, new Uint8Array([...label, ...head]))
}

function write(links: readonly Uint8Array[], tag: Uint8Array): string {
  const token = [prefix, ...links, tag]
    .map((part) => (typeof part === 'string' ? part : encodeBase64Url(part)))
    .join('.')
  if (token.length > maximumCapabilityLength || links.length > maximumCaveats + 1) {
    throw new ClientError(
      'OPTION_INVALID',
      'caveats',
      `a token has up to ${maximumCaveats} caveats and ${maximumCapabilityLength} characters; name fewer pools, jobs or endpoints`,
    )
  }
  return token
}

/**
 * Makes a token: the node does this.
 *
 * @param options - see its fields
 * @param options.key 32 secret bytes of the node
 * @param options.head what the token grants
 * @returns the token's text
 * @throws ClientError `CAPABILITY_INVALID` for a head of another form
 */
export function mintCapability(options: { readonly key: Uint8Array; readonly head: CapabilityHead }): string {
  const bytes = canonicalBytes({ ...options.head })
  const token = write([bytes], firstLink(options.key, bytes))
  readToken(token)
  return token
}

/**
 * Narrows a token, offline: the result allows what the token allows and every new caveat allows too.
 *
 * @param token the text of a token
 * @param caveats what it shall be narrowed by
 * @returns the narrower token's text; the old one stays as good as it was
 * @throws ClientError `CAPABILITY_INVALID` for a text that is no token or a caveat that is none; `OPTION_INVALID` for too many
 * @example
 * ```ts no-run
 * const forAgent = attenuateCapability(token, [{ endpoints: ['POST /v1/plan'] }, { pools: [pool] }, { expires: 1_800_000_000 }])
 * ```
 */
export function attenuateCapability(token: string, caveats: readonly Caveat[]): string {
  const { links, tag } = readToken(token)
  const added = caveats.map((caveat, index) => {
    try {
      return canonicalBytes({ ...exactly(readCaveat, caveat, `caveats.${index}`) })
    } catch (cause) {
      if (!(cause instanceof ShapeProblem)) throw cause
      throw new ClientError('CAPABILITY_INVALID', cause.place, cause.message)
    }
  })
  return write([...links, ...added], added.reduce(link, tag))
}

/**
 * Reads a token without believing it: only the node that made it can check it.
 *
 * @param token a text of unknown origin
 * @returns what it says
 * @throws ClientError `CAPABILITY_INVALID`
 */
export function parseCapability(token: unknown): Capability {
  const { head, caveats } = readToken(token)
  return { head, caveats }
}

/**
 * Reads a token and checks that it was made with this key and narrowed since, if anything. Time, revocation and scope are for the
 * caller to check.
 *
 * @param options - see its fields
 * @param options.key 32 secret bytes of the node
 * @param options.token a text of unknown origin
 * @returns what it says; undefined when it was made with another key or changed
 * @throws ClientError `CAPABILITY_INVALID`
 */
export function openCapability(options: {
  readonly key: Uint8Array
  readonly token: unknown
}): Capability | undefined {
  const { head, caveats, links, tag } = readToken(options.token)
  const [first, ...rest] = links
  if (first === undefined) return undefined
  const expected = rest.reduce(link, firstLink(options.key, first))
  return equalBytes(expected, tag) ? { head, caveats } : undefined
}
