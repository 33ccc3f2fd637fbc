import { p256, p384 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { derTag } from '../encoding/der.js'
import { intelNames } from '../intel/certificates.js'
import type { PckPlatform } from '../intel/pck-extension.js'
import {
  der,
  derBits,
  derDate,
  derNumber,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from './der-writer.js'

/** Common name of every simulator root: nobody who reads it can take it for hardware. */
export const simulatorRootName = 'Sealpool SIMULATOR Root CA - NOT HARDWARE'

/** A certificate to be made. */
export interface CertificateRequest {
  readonly commonName: string
  readonly publicKey: Uint8Array
  readonly issuer: { readonly commonName: string; readonly privateKey: Uint8Array }
  /** Unix seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** Undefined for a leaf. */
  readonly authority?: { readonly pathLength: number }
  /** Of the certified and of the issuer's key; P-256 when absent. */
  readonly curve?: SimulatorCurve
  /** Follows from the key when absent. */
  readonly serial?: Uint8Array
  /** Further extensions, already encoded. */
  readonly extensions?: readonly Uint8Array[]
}

/** Curves of the simulated platforms: Intel's and AMD's. */
export type SimulatorCurve = 'p256' | 'p384'

const curves = {
  p256: { curve: p256, algorithm: '1.2.840.10045.4.3.2', parameters: '1.2.840.10045.3.1.7' },
  p384: { curve: p384, algorithm: '1.2.840.10045.4.3.3', parameters: '1.3.132.0.34' },
} as const

/** r || s as `Ecdsa-Sig-Value`. */
function signatureDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  return derSequence(derUnsigned(signature.subarray(0, half)), derUnsigned(signature.subarray(half)))
}

/**
 * ECDSA with a nonce from RFC 6979, so that the same keys always make the same documents: P-256 with SHA-256, or P-384 with
 * SHA-384.
 *
 * @returns 64 or 96 bytes, r || s
 */
export function sign(
  message: Uint8Array,
  privateKey: Uint8Array,
  curve: SimulatorCurve = 'p256',
): Uint8Array {
  return curves[curve].curve.sign(message, privateKey, { lowS: false, prehash: true, format: 'compact' })
}

function name(commonName: string): Uint8Array {
  const attribute = (oid: string, value: string) =>
    der(derTag.set, derSequence(derOid(oid), der(derTag.printableString, new TextEncoder().encode(value))))
  return derSequence(attribute('2.5.4.3', commonName), attribute('2.5.4.10', 'Sealpool simulator'))
}

/** 20-byte serial numbers that follow from the key, as Intel's do; the first bit is set as in most of theirs. */
export function serialOf(publicKey: Uint8Array): Uint8Array {
  const serial = sha256(publicKey).slice(0, 20)
  serial[0] = (serial[0] ?? 0) | 0x80
  return serial
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(derTag.boolean, Uint8Array.of(0xff))] : []
  return derSequence(derOid(oid), ...flag, derOctets(value))
}

/**
 * Makes an X.509 certificate in the form of Intel's.
 *
 * @returns DER
 */
export function makeCertificate(request: CertificateRequest): Uint8Array {
  const { authority, curve = 'p256' } = request
  const { algorithm, parameters } = curves[curve]
  const signatureAlgorithm = derSequence(derOid(algorithm))
  const usage = authority === undefined ? derBits(Uint8Array.of(0xc0), 6) : derBits(Uint8Array.of(0x06), 1)
  const constraints =
    authority === undefined
      ? derSequence()
      : derSequence(der(derTag.boolean, Uint8Array.of(0xff)), derNumber(authority.pathLength))
  const spki = derSequence(
    derSequence(derOid('1.2.840.10045.2.1'), derOid(parameters)),
    derBits(request.publicKey),
  )
  const tbs = derSequence(
    der(0xa0, derNumber(2)),
    derUnsigned(request.serial ?? serialOf(request.publicKey)),
    signatureAlgorithm,
    name(request.issuer.commonName),
    derSequence(derDate(request.notBefore), derDate(request.notAfter)),
    name(request.commonName),
    spki,
    der(
      0xa3,
      derSequence(
        extension('2.5.29.15', true, usage),
        extension('2.5.29.19', true, constraints),
        ...(request.extensions ?? []),
      ),
    ),
  )
  const signature = signatureDer(sign(tbs, request.issuer.privateKey, curve))
  return derSequence(tbs, signatureAlgorithm, derBits(signature))
}

/** The SGX extension of a PCK certificate. */
export function sgxExtension(platform: PckPlatform): Uint8Array {
  const base = '1.2.840.113741.1.13.1'
  const pair = (oid: string, value: Uint8Array) => derSequence(derOid(`${base}.${oid}`), value)
  const components = platform.sgxComponents.map((svn, i) => pair(`2.${i + 1}`, derNumber(svn)))
  const cpuSvn = Uint8Array.from(platform.sgxComponents)
  const value = derSequence(
    pair('1', derOctets(new Uint8Array(16))),
    pair(
      '2',
      derSequence(...components, pair('2.17', derNumber(platform.pceSvn)), pair('2.18', derOctets(cpuSvn))),
    ),
    pair('3', derOctets(hexToBytes(platform.pceId))),
    pair('4', derOctets(hexToBytes(platform.fmspc))),
    pair('5', der(derTag.enumerated, Uint8Array.of(1))),
  )
  return extension(base, false, value)
}

/**
 * Makes a certificate revocation list.
 *
 * @param list issuer, dates in unix seconds and the serial numbers that are revoked
 * @returns DER
 */
export function makeRevocationList(list: {
  readonly issuer: { readonly commonName: string; readonly privateKey: Uint8Array }
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked: readonly Uint8Array[]
  /** P-256 when absent. */
  readonly curve?: SimulatorCurve
}): Uint8Array {
  const signatureAlgorithm = derSequence(derOid(curves[list.curve ?? 'p256'].algorithm))
  const entries = list.revoked.map((serial) => derSequence(derUnsigned(serial), derDate(list.thisUpdate)))
  const tbs = derSequence(
    derNumber(1),
    signatureAlgorithm,
    name(list.issuer.commonName),
    derDate(list.thisUpdate),
    derDate(list.nextUpdate),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    der(0xa0, derSequence(extension('2.5.29.20', false, derNumber(1)))),
  )
  const signature = signatureDer(sign(tbs, list.issuer.privateKey, list.curve))
  return derSequence(tbs, signatureAlgorithm, derBits(signature))
}

/** Private keys of a simulator, 32 bytes each. */
export interface SimulatorKeys {
  readonly root: Uint8Array
  readonly authority: Uint8Array
  readonly pck: Uint8Array
  readonly tcbSigning: Uint8Array
  readonly attestation: Uint8Array
}

/** The certificates of a simulator, DER. */
export interface SimulatorCertificates {
  readonly root: Uint8Array
  readonly authority: Uint8Array
  readonly pck: Uint8Array
  readonly tcbSigning: Uint8Array
}

/**
 * Makes the four certificates of a simulated platform.
 *
 * @param keys private keys
 * @param platform what the PCK certificate says
 * @param from unix seconds; all are valid from a day before until ten years after
 */
export function makeCertificates(
  keys: SimulatorKeys,
  platform: PckPlatform,
  from: number,
): SimulatorCertificates {
  const dates = { notBefore: from - 86_400, notAfter: from + 3650 * 86_400 }
  const key = (privateKey: Uint8Array) => p256.getPublicKey(privateKey, false)
  const root = { commonName: simulatorRootName, privateKey: keys.root }
  const authority = { commonName: intelNames.authorities[0], privateKey: keys.authority }
  return {
    root: makeCertificate({
      ...dates,
      commonName: root.commonName,
      publicKey: key(keys.root),
      issuer: root,
      authority: { pathLength: 1 },
    }),
    authority: makeCertificate({
      ...dates,
      commonName: authority.commonName,
      publicKey: key(keys.authority),
      issuer: root,
      authority: { pathLength: 0 },
    }),
    pck: makeCertificate({
      ...dates,
      commonName: intelNames.pck,
      publicKey: key(keys.pck),
      issuer: authority,
      extensions: [sgxExtension(platform)],
    }),
    tcbSigning: makeCertificate({
      ...dates,
      commonName: intelNames.tcbSigning,
      publicKey: key(keys.tcbSigning),
      issuer: root,
    }),
  }
}

/** Uncompressed public key, 65 or 97 bytes. */
export function publicKeyOf(privateKey: Uint8Array, curve: SimulatorCurve = 'p256'): Uint8Array {
  return curves[curve].curve.getPublicKey(privateKey, false)
}

/** A signed document as the PCS serves it: the exact text of the body is what is signed. */
export function signedResponse(field: string, value: unknown, privateKey: Uint8Array): string {
  const body = JSON.stringify(value)
  const signature = sign(new TextEncoder().encode(body), privateKey)
  const hex = Array.from(signature, (octet) => octet.toString(16).padStart(2, '0')).join('')
  return `{"${field}":${body},"signature":"${hex}"}`
}
