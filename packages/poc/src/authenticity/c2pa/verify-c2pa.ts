import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '@sealpool/crypto'
import { hashes } from '../../signature/rsa.js'
import { type SignatureAlgorithm, verifySignature } from '../../signature/verify-signature.js'
import { decodeBase64 } from '../base64.js'
import {
  type AuthenticityCheck,
  beyondReach,
  failed,
  finding,
  notChecked,
  passed,
  validityCheck,
  verdictOf,
} from '../finding.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'
import { type Cbor, decodeCbor, member } from './cbor.js'
import { type Certificate, followChain, readCertificate } from './certificate.js'
import { encodeSigStructure } from './cose.js'
import { findBox, findManifestStore, type ManifestStore, readJumbf, type Superbox } from './jumbf.js'

/** A finding on a C2PA manifest. */
export type C2paFinding = SignedFinding

/** Usages under which a certificate may sign claims: document signing, e-mail protection (C2PA 2.1, section 14.5.1.1). */
const SIGNING_USAGES = ['1.3.6.1.5.5.7.3.36', '1.3.6.1.5.5.7.3.4']
const coseAlgorithms: ReadonlyMap<Cbor | undefined, SignatureAlgorithm> = new Map<
  Cbor | undefined,
  SignatureAlgorithm
>([
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-8, 'EdDSA'],
  [-37, 'PS256'],
  [-38, 'PS384'],
  [-39, 'PS512'],
])

/**
 * Verifies what can be verified offline of the active manifest in a JPEG, a PNG or a `.c2pa` file: the claim's signature (COSE_Sign1),
 * its certificates up to given roots, the hash of every assertion that the claim lists, and for files with `c2pa.hash.data` that the
 * content is what was signed.
 *
 * Not verified, and told: revocation, time stamps, and ingredients' own manifests. Other hard bindings (BMFF, boxes) are
 * `not-checked` and leave the file not authentic.
 *
 * @param options `bytes`: the file; `roots`: trusted certificates, DER in base64; `at`: Unix seconds to judge certificates by;
 *   `work`: what it costs is taken off
 * @returns the finding, every check with its reason; without `at` it is never authentic
 */
export function verifyC2pa(options: {
  readonly bytes: Uint8Array
  readonly roots: readonly string[]
  readonly at?: number | undefined
  readonly work?: WorkMeter | undefined
}): C2paFinding {
  const stop = (check: AuthenticityCheck): C2paFinding => ({
    ...finding('c2pa', [check], null),
    signedContent: undefined,
  })
  const store = findManifestStore(options.bytes)
  if (store === undefined) return stop(failed('manifest', 'NO_MANIFEST'))
  const root = readJumbf(store.bytes)
  // The last manifest of the store is the active one.
  const manifest = root?.label === 'c2pa' ? root.superboxes.at(-1) : undefined
  const claimBox = findBox(manifest, ['c2pa.claim']) ?? findBox(manifest, ['c2pa.claim.v2'])
  const claimBytes = contentOf(claimBox)
  const signature = readSignature(contentOf(findBox(manifest, ['c2pa.signature'])))
  const claim = claimBytes === undefined ? undefined : decodeCbor(claimBytes)
  if (manifest === undefined || claimBytes === undefined || claim === undefined || signature === undefined) {
    return stop(failed('manifest', 'MALFORMED_MANIFEST'))
  }
  const [leaf] = signature.chain
  const trusted = options.roots.flatMap((text) => {
    const bytes = decodeBase64(text)
    const certificate = bytes === undefined ? undefined : readCertificate(bytes)
    return certificate === undefined ? [] : [certificate]
  })
  // The file is hashed once, each assertion once, each certificate is verified once, and the claim.
  options.work?.({ signatures: signature.chain.length + 1, bytes: 2 * options.bytes.length })
  const chain = followChain(signature.chain, trusted)
  const message = encodeSigStructure(signature.protectedBytes, claimBytes)
  const valid =
    leaf !== undefined &&
    verifySignature({ algorithm: signature.algorithm, key: leaf.key, message, signature: signature.value })
  const used = chain ?? []
  const kept = contentChecks(manifest, claim, options.bytes, store)
  const found = finding(
    'c2pa',
    [
      passed('manifest'),
      verdictOf('signature', valid, 'SIGNATURE_INVALID'),
      verdictOf('chain', chain !== undefined, 'UNTRUSTED_CERTIFICATE'),
      verdictOf(
        'certificate-usage',
        leaf !== undefined &&
          !leaf.authority &&
          leaf.maySign &&
          leaf.usages.some((usage) => SIGNING_USAGES.includes(usage)),
        'WRONG_CERTIFICATE_USAGE',
      ),
      validityCheck(
        options.at,
        Math.max(0, ...used.map(({ notBefore }) => notBefore)),
        Math.min(...used.map(({ notAfter }) => notAfter)),
      ),
      ...kept.checks,
      beyondReach('revocation', 'NEEDS_THE_NETWORK'),
      beyondReach('time-stamp', 'NOT_VERIFIED_HERE'),
      beyondReach('ingredients', 'NOT_VERIFIED_HERE'),
    ],
    'C2PA',
  )
  // The picture and not the claim: whoever may sign makes as many claims on one picture as he likes.
  return withSignedContent(found, () => [kept.hash ?? new Uint8Array()])
}

interface CoseSignature {
  readonly algorithm: SignatureAlgorithm
  readonly protectedBytes: Uint8Array
  readonly value: Uint8Array
  readonly chain: readonly Certificate[]
}

function contentOf(box: Superbox | undefined): Uint8Array | undefined {
  const [first, ...others] = box?.boxes ?? []
  return first?.type === 'cbor' && others.length === 0 ? first.content : undefined
}

/** COSE_Sign1 with a detached payload (RFC 9052 section 4.2), certificates in header 33 (RFC 9360). */
function readSignature(bytes: Uint8Array | undefined): CoseSignature | undefined {
  const decoded = bytes === undefined ? undefined : decodeCbor(bytes)
  const item = isTagged(decoded) && decoded.tag === 18 ? decoded.value : decoded
  if (!Array.isArray(item) || item.length !== 4) return undefined
  const [protectedBytes, unprotected, payload, value] = item as Cbor[]
  if (!(protectedBytes instanceof Uint8Array) || !(value instanceof Uint8Array) || payload !== null)
    return undefined
  const header = decodeCbor(protectedBytes)
  const algorithm = coseAlgorithms.get(member(header, 1))
  // Header 2 lists what must be understood beyond the standard; nothing is.
  if (algorithm === undefined || member(header, 2) !== undefined) return undefined
  const listed = member(header, 33) ?? member(unprotected, 33) ?? member(unprotected, 'x5chain')
  const entries = listed instanceof Uint8Array ? [listed] : Array.isArray(listed) ? (listed as Cbor[]) : []
  const chain: Certificate[] = []
  for (const entry of entries.slice(0, 8)) {
    const certificate = entry instanceof Uint8Array ? readCertificate(entry) : undefined
    if (certificate === undefined) return undefined
    chain.push(certificate)
  }
  return chain.length === 0 ? undefined : { algorithm, protectedBytes, value, chain }
}

function isTagged(value: Cbor | undefined): value is { readonly tag: number; readonly value: Cbor } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof Uint8Array)
  )
}

const MOST_ASSERTIONS = 200

/** Every assertion that the claim lists is there with its hash, and one of them binds the content. */
function contentChecks(
  manifest: Superbox,
  claim: Cbor,
  file: Uint8Array,
  store: ManifestStore,
): { readonly checks: readonly AuthenticityCheck[]; readonly hash?: Uint8Array } {
  const listed = [
    ...entriesOf(member(claim, 'assertions')),
    ...entriesOf(member(claim, 'created_assertions')),
    ...entriesOf(member(claim, 'gathered_assertions')),
  ]
  const assertions = findBox(manifest, ['c2pa.assertions'])
  const fallback = member(claim, 'alg') ?? 'sha256'
  const bound: Superbox[] = []
  // Each assertion is hashed once, however often a claim lists it.
  const hashed = new Map<Superbox, Map<Cbor, Uint8Array>>()
  const hashOf = (box: Superbox, name: Cbor): Uint8Array | undefined => {
    const algorithm = hashNamed(name)
    if (algorithm === undefined) return undefined
    const known = hashed.get(box) ?? new Map<Cbor, Uint8Array>()
    hashed.set(box, known)
    const found = known.get(name) ?? algorithm(box.hashed)
    known.set(name, found)
    return found
  }
  // Each is compared with all assertions that are there.
  if (listed.length > MOST_ASSERTIONS) {
    return { checks: [failed('assertions', 'TOO_MANY_ASSERTIONS')] }
  }
  let hold = listed.length > 0
  for (const entry of listed) {
    const url = member(entry, 'url')
    const hash = member(entry, 'hash')
    const label = typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : ''
    const path = typeof url === 'string' ? url.slice(0, -label.length - 1) : ''
    // Only this manifest's own store: an assertion of another manifest is not what this claim's signer made.
    const isOwn =
      path === 'self#jumbf=c2pa.assertions' || path === `self#jumbf=/c2pa/${manifest.label}/c2pa.assertions`
    const box = isOwn ? assertions?.superboxes.find((one) => one.label === label) : undefined
    const found = box === undefined ? undefined : hashOf(box, member(entry, 'alg') ?? fallback)
    const holds = found !== undefined && hash instanceof Uint8Array && equalBytes(found, hash)
    hold &&= holds
    if (holds && box !== undefined) bound.push(box)
  }
  const { check, hash } = contentCheck(bound, fallback, file, store)
  const checks = [verdictOf('assertions', hold, 'ASSERTION_CHANGED'), check]
  return hash === undefined ? { checks } : { checks, hash }
}

function contentCheck(
  assertions: readonly Superbox[],
  fallback: Cbor,
  file: Uint8Array,
  store: ManifestStore,
): { readonly check: AuthenticityCheck; readonly hash?: Uint8Array } {
  const binding = assertions.find(({ label }) => label === 'c2pa.hash.data')
  if (binding === undefined) {
    const other = assertions.some(({ label }) => /^c2pa\.hash\.(bmff|boxes|collection)/.test(label))
    return {
      check: other ? notChecked('content', 'BINDING_NOT_SUPPORTED') : failed('content', 'NO_CONTENT_BINDING'),
    }
  }
  const content = contentOf(binding)
  const value = content === undefined ? undefined : decodeCbor(content)
  const algorithm = hashNamed(member(value, 'alg') ?? fallback)
  const hash = member(value, 'hash')
  const kept =
    value === undefined ? undefined : withoutExclusions(file, entriesOf(member(value, 'exclusions')), store)
  const holds =
    algorithm !== undefined &&
    kept !== undefined &&
    hash instanceof Uint8Array &&
    equalBytes(algorithm(kept), hash)
  const check = verdictOf('content', holds, 'CONTENT_CHANGED')
  return holds ? { check, hash: sha256(kept) } : { check }
}

/**
 * The file without the range that holds the manifest itself: exactly its chunk or its segments, framing included. A range that begins
 * earlier or ends later would leave out what changes the picture (a `gAMA` chunk, an APP14 segment); two ranges would, too.
 */
function withoutExclusions(
  file: Uint8Array,
  exclusions: readonly Cbor[],
  { start, end }: ManifestStore,
): Uint8Array | undefined {
  const [range, ...others] = exclusions
  if (range === undefined) return file
  if (others.length > 0 || member(range, 'start') !== start || member(range, 'length') !== end - start) {
    return undefined
  }
  return concatBytes(file.subarray(0, start), file.subarray(end))
}

function entriesOf(value: Cbor | undefined): readonly Cbor[] {
  return Array.isArray(value) ? (value as Cbor[]) : []
}

function hashNamed(name: Cbor): ((bytes: Uint8Array) => Uint8Array) | undefined {
  return name === 'sha256' || name === 'sha384' || name === 'sha512' ? hashes[name] : undefined
}
