import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '@sealpool/crypto'
import { keyFromSpki, type PublicKey, rsaFromPkcs1 } from '../../signature/public-key.js'
import { verifySignature } from '../../signature/verify-signature.js'
import { decodeBase64 } from '../base64.js'
import { type AuthenticityCheck, failed, finding, passed, validityCheck, verdictOf } from '../finding.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'
import {
  type Canonicalization,
  canonicalBody,
  canonicalHeader,
  latin1Bytes,
  type MailMessage,
  readMessage,
} from './message.js'

/** The key that a domain publishes under a selector; given as input, because the check is made offline. */
export interface DkimKey {
  readonly domain: string
  readonly selector: string
  /** The TXT record, for example `v=DKIM1; k=rsa; p=...`. */
  readonly record: string
}

/** Signatures of one message that are looked at, from the top. */
const MOST_SIGNATURES = 3

/**
 * Verifies the DKIM signatures of one message (RFC 6376; Ed25519 by RFC 8463) with given keys. One signature that holds is enough.
 *
 * Stricter than the standard where a contribution's worth depends on it: a length tag (`l=`) is refused, because text can be added
 * behind it; `From` must be there once, be signed, and be of the signing domain; keys in testing mode and `rsa-sha1` do not count. A
 * carriage return without its line feed makes no message (RFC 5322 section 2.3): readers disagree about where its lines end.
 *
 * @param options `message`: RFC 5322 bytes; `keys`: trusted records, of which several may share a selector; `require`: names of header
 *   fields in lower case that the signature must cover beside `From`, all of a name; `at`: Unix seconds, for signatures that expire;
 *   `work`: what it costs is taken off
 * @returns the checks of the best signature; `signer` is the domain. What is signed is `From`, what is required and the body, however
 *   many signatures there are; `signedHeaders` names the fields that the best one covers wholly, `signedFields` holds them
 */
export function verifyDkim(options: {
  readonly message: Uint8Array
  readonly keys: readonly DkimKey[]
  readonly require?: readonly string[] | undefined
  readonly at?: number | undefined
  readonly work?: WorkMeter | undefined
}): SignedFinding {
  options.work?.({ bytes: options.message.length })
  const message = readMessage(options.message)
  if (message === undefined) return stop(failed('message', 'MALFORMED_MESSAGE'))
  const signatures = message.headers.filter(({ name }) => name === 'dkim-signature')
  // RFC 6376 section 6.1 lets a verifier bound its work: copies of a signature would multiply it.
  let first: SignedFinding | undefined
  for (const header of signatures.slice(0, MOST_SIGNATURES)) {
    const found = verifyOne(message, header, options)
    if (found.authentic) return found
    first ??= found
  }
  return first ?? stop(failed('signature', 'NOT_SIGNED'))
}

function stop(check: AuthenticityCheck): SignedFinding {
  return { ...finding('dkim', [check], null), signedContent: undefined }
}

function verifyOne(
  message: MailMessage,
  header: MailMessage['headers'][number],
  options: Omit<Parameters<typeof verifyDkim>[0], 'message'>,
): SignedFinding {
  const { keys, require = [], at, work } = options
  const tags = readTags(header.raw.slice(header.raw.indexOf(':') + 1))
  const read = tags === undefined ? undefined : readSignature(tags)
  if (tags === undefined || read === undefined) return stop(failed('syntax', 'MALFORMED_SIGNATURE'))
  if (tags.has('l')) return stop(failed('syntax', 'LENGTH_TAG'))
  const records = keys.filter(
    ({ domain, selector }) =>
      domain.toLowerCase() === read.domain && selector.toLowerCase() === read.selector,
  )
  if (records.length === 0) return stop(failed('key', 'UNKNOWN_KEY'))
  // A domain may have changed the key under a selector: each record is a key that counts.
  const candidates = records.map(({ record }) => readKey(record, read))
  const known = candidates.filter((key) => typeof key !== 'string')
  if (known.length === 0) return stop(failed('key', candidates.find((key) => typeof key === 'string') ?? ''))

  work?.({ bytes: message.body.length })
  const body = latin1Bytes(canonicalBody(message.body, read.bodyMode))
  const signed = hashedHeaders(message, header, read)
  const valid = known.some((key) => {
    work?.({ signatures: 1, bytes: signed.length })
    return verifySignature({
      algorithm: key.type === 'rsa' ? 'RS256' : 'EdDSA',
      key,
      // RFC 8463 section 3: Ed25519 signs the hash of the header, RSA hashes it itself.
      message: key.type === 'rsa' ? signed : sha256(signed),
      signature: read.signature,
    })
  })
  const covered = coveredNames(message, read)
  const result = finding(
    'dkim',
    [
      passed('syntax'),
      passed('key'),
      verdictOf('body-hash', equalBytes(sha256(body), read.bodyHash), 'BODY_CHANGED'),
      verdictOf('signature', valid, 'SIGNATURE_INVALID'),
      senderCheck(message, read),
      verdictOf(
        'headers',
        require.every((name) => covered.includes(name.toLowerCase())),
        'HEADER_NOT_SIGNED',
      ),
      validityCheck(at, read.signedAt, read.expiresAt),
    ],
    read.domain,
  )
  const fieldsOf = (name: string): string[] =>
    message.headers.filter((field) => field.name === name).map(({ raw }) => canonicalHeader(raw, 'relaxed'))
  const found = withSignedContent(result, () => {
    const names = [...new Set(['from', ...require.map((name) => name.toLowerCase())])].sort()
    // By name, because a signature does not fix the order of different fields.
    const fields = names.flatMap(fieldsOf).map(latin1Bytes)
    return [fields.length, ...fields, latin1Bytes(canonicalBody(message.body, 'relaxed'))]
  })
  if (!result.authentic) return { ...found, signedHeaders: [] }
  const signedFields = new Map(covered.map((name) => [name, fieldsOf(name).join('')]))
  const statements = found.signedContent === undefined ? [] : [found.signedContent]
  return { ...found, statements, signedHeaders: covered, signedFields }
}

/** Names that are signed as often as they stand in the message, so that none of that name was put in; signed absence counts. */
function coveredNames({ headers }: MailMessage, signature: DkimSignature): string[] {
  const left = new Map<string, number>()
  for (const name of signature.headers) left.set(name, (left.get(name) ?? 0) + 1)
  for (const { name } of headers) left.set(name, (left.get(name) ?? 0) - 1)
  return [...new Set(signature.headers)].filter((name) => (left.get(name) ?? -1) >= 0)
}

interface DkimSignature {
  readonly algorithm: 'rsa' | 'ed25519'
  readonly domain: string
  readonly selector: string
  readonly identity: string
  readonly headers: readonly string[]
  readonly headerMode: Canonicalization
  readonly bodyMode: Canonicalization
  readonly bodyHash: Uint8Array
  readonly signature: Uint8Array
  readonly signedAt: number | undefined
  readonly expiresAt: number | undefined
}

/** A tag list (section 3.2): names once each, folding white space around values removed. */
function readTags(text: string): Map<string, string> | undefined {
  const tags = new Map<string, string>()
  const parts = text.split(';')
  for (const [index, part] of parts.entries()) {
    if (part.trim() === '') {
      if (index === parts.length - 1) break
      return undefined
    }
    const match = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=([\s\S]*)$/.exec(part)
    const [, name = '', value = ''] = match ?? []
    if (match === null || tags.has(name)) return undefined
    tags.set(name, value.trim())
  }
  return tags
}

function readSignature(tags: ReadonlyMap<string, string>): DkimSignature | undefined {
  const packed = (name: string): string => (tags.get(name) ?? '').replace(/\s+/g, '')
  const algorithm = { 'rsa-sha256': 'rsa', 'ed25519-sha256': 'ed25519' }[packed('a')]
  const [headerMode = '', bodyMode = 'simple', ...modes] = (packed('c') || 'simple/simple').split('/')
  const bodyHash = decodeBase64(packed('bh'))
  const signature = decodeBase64(packed('b'))
  const domain = packed('d').toLowerCase()
  const selector = packed('s').toLowerCase()
  const identity = (packed('i') || `@${domain}`).toLowerCase()
  const headers = packed('h').toLowerCase().split(':')
  const seconds = (name: string): number | undefined => {
    const text = packed(name)
    return /^\d{1,12}$/.test(text) ? Number(text) : text === '' ? undefined : Number.NaN
  }
  const signedAt = seconds('t')
  const expiresAt = seconds('x')
  const identityDomain = identity.slice(identity.lastIndexOf('@') + 1)
  const sound =
    packed('v') === '1' &&
    (algorithm === 'rsa' || algorithm === 'ed25519') &&
    isMode(headerMode) &&
    isMode(bodyMode) &&
    modes.length === 0 &&
    bodyHash?.length === 32 &&
    signature !== undefined &&
    signature.length > 0 &&
    /^[a-z0-9_.-]{1,253}$/.test(domain) &&
    /^[a-z0-9_.-]{1,253}$/.test(selector) &&
    isWithin(identityDomain, domain) &&
    headers.every((name) => /^[\x21-\x39\x3b-\x7e]+$/.test(name)) &&
    headers.length <= 500 &&
    !Number.isNaN(signedAt) &&
    !Number.isNaN(expiresAt) &&
    /^(dns\/txt)?$/.test(packed('q')) &&
    (signedAt === undefined || expiresAt === undefined || expiresAt > signedAt)
  if (!sound) return undefined
  return {
    algorithm,
    domain,
    selector,
    identity,
    headers,
    headerMode,
    bodyMode,
    bodyHash,
    signature,
    signedAt,
    expiresAt,
  }
}

function isMode(text: string): text is Canonicalization {
  return text === 'simple' || text === 'relaxed'
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`)
}

/** The key of a record (section 3.6.1), or why it does not count for this signature. */
function readKey(record: string, { algorithm, domain, identity }: DkimSignature): PublicKey | string {
  const tags = readTags(record)
  if (tags === undefined || (tags.has('v') && tags.get('v') !== 'DKIM1')) return 'MALFORMED_KEY'
  const list = (name: string): string[] =>
    (tags.get(name) ?? '').split(':').map((part) => part.trim().toLowerCase())
  if ((tags.get('k') ?? 'rsa').toLowerCase() !== algorithm) return 'WRONG_ALGORITHM'
  if (tags.has('h') && !list('h').includes('sha256')) return 'WRONG_ALGORITHM'
  if (tags.has('s') && !list('s').some((service) => service === '*' || service === 'email'))
    return 'NOT_FOR_MAIL'
  if (list('t').includes('y')) return 'KEY_IN_TESTING'
  // t=s: the identity must be of the very domain, not of one below it.
  if (list('t').includes('s') && identity.slice(identity.lastIndexOf('@') + 1) !== domain)
    return 'WRONG_IDENTITY'
  const packed = (tags.get('p') ?? '').replace(/\s+/g, '')
  if (packed === '') return 'KEY_REVOKED'
  const bytes = decodeBase64(packed)
  if (bytes === undefined) return 'MALFORMED_KEY'
  if (algorithm === 'ed25519') return bytes.length === 32 ? { type: 'ed25519', bytes } : 'MALFORMED_KEY'
  const key = keyFromSpki(bytes, 1024) ?? rsaFromPkcs1(bytes, 1024)
  return key?.type === 'rsa' ? key : 'MALFORMED_KEY'
}

/** The header fields that are hashed, from the bottom for each name (section 5.4.2), then the signature without its `b=`. */
function hashedHeaders(
  message: MailMessage,
  header: MailMessage['headers'][number],
  { headers, headerMode }: DkimSignature,
): Uint8Array {
  const left = new Map<string, string[]>()
  for (const { name, raw } of message.headers) {
    const own = left.get(name)
    if (own === undefined) left.set(name, [raw])
    else own.push(raw)
  }
  let text = ''
  for (const name of headers) {
    const raw = left.get(name)?.pop()
    // A name beyond the fields that are there signs their absence.
    if (raw !== undefined) text += canonicalHeader(raw, headerMode)
  }
  const emptied = header.raw.replace(/((?:^|[;:])\s*b\s*=)[^;]*/, (whole, start: string) =>
    whole.endsWith('\r\n') ? `${start}\r\n` : start,
  )
  text += canonicalHeader(emptied, headerMode).replace(/\r\n$/, '')
  return latin1Bytes(text)
}

/** `From` once, signed, and of the signing domain. */
function senderCheck(message: MailMessage, { headers, domain }: DkimSignature): AuthenticityCheck {
  const senders = message.headers.filter(({ name }) => name === 'from')
  const [sender] = senders
  if (sender === undefined || senders.length > 1) return failed('sender', 'FROM_NOT_ONE')
  if (!headers.includes('from')) return failed('sender', 'FROM_NOT_SIGNED')
  // A sane field is short; longer ones are not worth what reading quoted text in them may take.
  const address = sender.raw.length > 10_000 ? undefined : addressOfHeader(sender.raw)
  return verdictOf('sender', address !== undefined && isWithin(address, domain), 'FROM_OF_ANOTHER_DOMAIN')
}

/** Domain of the one address in a From field; undefined when there are several or none. */
function addressOfHeader(raw: string): string | undefined {
  const value = raw
    .slice(raw.indexOf(':') + 1)
    .replaceAll('\r\n', '')
    // Quoted names and comments may hold anything, an address too. What is not closed goes to the end, so that nothing is read twice,
    // and leaves what no address has.
    .replace(/"(?:[^"\\]|\\[\s\S])*("?)/g, (_, end: string) => (end === '' ? '<>' : ''))
    .replace(/\([^()]*\)/g, '')
    .trim()
  const match = /^(?:[^<>@,]*<\s*)?[^<>@,\s]+@([A-Za-z0-9.-]+)\s*>?$/.exec(value)
  return match?.[1]?.toLowerCase()
}
