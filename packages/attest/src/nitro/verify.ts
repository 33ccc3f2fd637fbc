import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { type Cbor, cborField, isCborMap, parseCbor } from '../encoding/cbor.js'
import { p384ChainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { isBytes } from '../encoding/is-bytes.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { verifyAmdSignature } from '../signature/amd.js'
import type { VerifySignature } from '../signature/port.js'
import { askedNonce } from '../verdict/asked-nonce.js'
import { type Check, checkList, fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { endOfTime, momentSeconds } from '../verdict/moment.js'
import type { Hex } from '../verdict/verdict.js'

/** SHA-256 of the certificate “aws.nitro-enclaves”, the root of every Nitro attestation document. */
export const nitroRootDigest = 'sha256:641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b'

/** What a Nitro document says. */
export interface NitroClaims {
  readonly moduleId: string
  /** ISO. */
  readonly timestamp: string
  /** Registers by index, 48 bytes each. */
  readonly pcrs: Readonly<Record<number, Hex>>
  /** All of PCR0 to PCR2 zero: the enclave runs in debug mode and its host reads its console. */
  readonly debug: boolean
  readonly publicKey: Hex | null
  readonly userData: Hex | null
  readonly nonce: Hex | null
}

/** Every question of {@link verifyNitroDocument}. */
export const nitroCheckTitles = {
  'root-trusted': 'The chain ends in AWS’s pinned root',
  chain: 'The document’s certificate is signed up to the root',
  'certificate-dates': 'All certificates were in date when the document was made',
  signature: 'The document is signed by its certificate',
  fresh: 'The document was made not long before the moment that is asked for',
  nonce: 'The document was made for the nonce that was asked',
  debug: 'The enclave does not run in debug mode',
} as const

/** Answer of {@link verifyNitroDocument}; which registers are good is for the caller to say. */
export interface NitroVerdict {
  readonly ok: boolean
  /** ISO; the moment for which the answer holds. */
  readonly at: string
  readonly checks: readonly Check[]
  readonly claims: NitroClaims
}

interface Parsed {
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
  readonly chain: Certificate[]
  readonly claims: NitroClaims
}

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_EVIDENCE', `nitro${place}`, `Not a Nitro attestation document: ${what}`)
}

/** A byte string's head and content. */
function byteString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const head =
    length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.from(head), bytes)
}

function parseDocument(bytes: Uint8Array): Parsed {
  needBytes(bytes, 'nitro')
  if (bytes.length > 1 << 15) throw bad('', 'it is longer than any')
  // COSE_Sign1 may stand behind its tag (18), and usually does not.
  const tag = bytes[0] === 0xd2 ? 1 : 0
  const cose = parseCbor(bytes.subarray(tag))
  const [header, unprotected, payload, signature] = Array.isArray(cose) && cose.length === 4 ? cose : []
  if (!(isBytes(header) && isBytes(payload) && isBytes(signature))) {
    throw bad('', 'it is no COSE_Sign1 structure')
  }
  // {1: -35}: ES384 and nothing else; nothing outside the signature.
  if (bytesToHex(header) !== 'a1013822' || !isCborMap(unprotected) || unprotected.entries.length > 0) {
    throw bad('.header', 'the algorithm is not ES384')
  }
  // No signature covers the structure's own heads: one document has one form, but for the tag.
  const whole = [Uint8Array.of(0x84), byteString(header), Uint8Array.of(0xa0), byteString(payload)]
  if (!sameBytes(bytes.subarray(tag), concatBytes(...whole, byteString(signature))))
    throw bad('', 'its structure is not in the shortest form')
  const document = parseCbor(payload)
  if (!isCborMap(document)) throw bad('.payload', 'it is no map')
  const field = (name: string) => cborField(document, name)
  const certificate = field('certificate')
  const bundle = field('cabundle')
  if (!Array.isArray(bundle) || bundle.length < 1 || bundle.length > 8)
    throw bad('.cabundle', 'the authorities are missing')
  const encoded = [certificate, ...[...bundle].reverse()].filter((one) => isBytes(one))
  if (encoded.length !== bundle.length + 1) throw bad('.cabundle', 'a certificate is missing')
  // A document carries certificates of its own: too many of them, or unreadable ones, are its author's fault.
  const head = Uint8Array.of(0x84, 0x6a, ...new TextEncoder().encode('Signature1'))
  return {
    signedBytes: concatBytes(head, byteString(header), Uint8Array.of(0x40), byteString(payload)),
    signature,
    chain: encoded.map(parseCertificate),
    claims: readClaims(field),
  }
}

function readClaims(field: (name: string) => Cbor | undefined): NitroClaims {
  const optionalBytes = (name: string): Hex | null => {
    const value = field(name)
    if (value === undefined || value === null) return null
    if (!isBytes(value)) throw bad(`.${name}`, 'a byte string is expected')
    return `0x${bytesToHex(value)}`
  }
  const [moduleId, timestamp, pcrs] = [field('module_id'), field('timestamp'), field('pcrs')]
  if (field('digest') !== 'SHA384' || typeof moduleId !== 'string' || !isCborMap(pcrs)) {
    throw bad('.payload', 'module, digest or registers are missing')
  }
  if (typeof timestamp !== 'number' || timestamp < 0 || timestamp >= 1000 * endOfTime)
    throw bad('.timestamp', 'no time')
  const registers: Record<number, Hex> = {}
  for (const [index, value] of pcrs.entries) {
    if (typeof index !== 'number' || index < 0 || index > 31 || !isBytes(value) || value.length !== 48) {
      throw bad('.pcrs', 'a register is not 48 bytes under its number')
    }
    registers[index] = `0x${bytesToHex(value)}`
  }
  const zero = `0x${'00'.repeat(48)}`
  return {
    moduleId,
    timestamp: new Date(timestamp).toISOString(),
    pcrs: registers,
    debug: [0, 1, 2].every((index) => (registers[index] ?? zero) === zero),
    publicKey: optionalBytes('public_key'),
    userData: optionalBytes('user_data'),
    nonce: optionalBytes('nonce'),
  }
}

/**
 * The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`, which
 * has no say in the root: it is AWS's, and only tests pin another in its place.
 */
export function verifyNitroDocument(
  bytes: Uint8Array,
  options: {
    readonly at: Date
    readonly maximumAgeSeconds?: number
    readonly nonce?: Uint8Array
    readonly allowDebug?: boolean
    readonly verifySignature?: VerifySignature
  },
  rootDigest: string = nitroRootDigest,
): NitroVerdict {
  momentSeconds(options.at)
  const at = options.at.getTime()
  const nonce = askedNonce(options.nonce)
  const { signedBytes, signature, chain, claims } = parseDocument(bytes)
  const verify = options.verifySignature ?? verifyAmdSignature
  const checks = checkList(nitroCheckTitles)
  const [leaf] = chain
  const root = chain[chain.length - 1]
  checks.run('root-trusted', [], () => {
    const digest = `sha256:${bytesToHex(sha256(root?.raw ?? new Uint8Array()))}`
    return digest === rootDigest ? pass('The root is AWS’s.') : fail('the root is not AWS’s')
  })
  checks.run('chain', [], () => unless(p384ChainProblem(chain, verify), `${chain.length} certificates.`))
  const made = Date.parse(claims.timestamp)
  checks.run('certificate-dates', [], () =>
    unless(validityProblem(chain, Math.floor(made / 1000)), 'All were.'),
  )
  checks.run('signature', ['chain'], () =>
    leaf !== undefined && verify(leaf.publicKey, signedBytes, signature)
      ? pass('It verifies.')
      : fail('it does not verify'),
  )
  checks.run('fresh', [], () => {
    const age = Math.floor((at - made) / 1000)
    const limit = options.maximumAgeSeconds ?? 300
    // A clock may run ahead by a minute.
    return age >= -60 && age <= limit
      ? pass(`${age} seconds old.`)
      : fail(`it is ${age} seconds old, ${limit} are allowed`)
  })
  checks.run('nonce', [], () => {
    if (nonce === undefined) return notChecked('No nonce was asked for.')
    return claims.nonce === `0x${bytesToHex(nonce)}`
      ? pass('It is the one.')
      : fail('it carries another nonce or none')
  })
  checks.run('debug', [], () => {
    if (!claims.debug) return pass('PCR0 to PCR2 are not all zero.')
    return options.allowDebug === true
      ? pass('DEBUG MODE: its host reads its console; the caller has allowed it.')
      : fail('PCR0 to PCR2 are zero: it runs in debug mode, and its host reads its console')
  })
  return { ok: checks.ok(), at: new Date(at).toISOString(), checks: checks.list(), claims }
}
