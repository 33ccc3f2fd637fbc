import { p384 } from '@noble/curves/nist.js'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { lineOf, type SnpProduct } from '../amd/claims.js'
import { readTcb } from '../amd/tcb-version.js'
import { derTag } from '../encoding/der.js'
import { der, derNumber, derOctets, derOid, derSequence } from './der-writer.js'
import { type SimulatedSnpReport, simulatedTcb, writeSnpReport } from './snp-report-writer.js'
import { makeCertificate, makeRevocationList, publicKeyOf, simulatorRootName } from './test-pki.js'

/** What is wrong with a simulated AMD revocation list. */
export type AmdCrlDefect = 'from-the-future' | 'of-another-key' | 'revoked-authority' | 'stale' | 'tampered'

/** What is wrong with simulated AMD certificates. */
export type AmdCertificateDefect =
  | 'authority-missing'
  | 'expired'
  | 'forged'
  | 'hwid-missing'
  | 'other-line'
  | 'root-missing'
  | 'self-signed'
  | 'tcb-missing'

/** A simulated SEV-SNP platform. */
export interface AmdSimulator {
  /** SHA-256 of the root certificate, as a policy names it in `roots`. */
  readonly rootDigest: Digest
  /** DER of VCEK or VLEK, its issuer and the root; with one defect if wanted. */
  certificates(options?: { readonly defect?: AmdCertificateDefect }): Uint8Array[]
  /** DER of the root's revocation list, issued an hour before `at` and current for thirty days. */
  crl(at: Date, options?: { readonly defect?: AmdCrlDefect }): Uint8Array
  /** A report of 1184 bytes; with one defect if wanted. */
  report(content: SimulatedSnpReport): Uint8Array
}

const day = 86_400
const amd = '1.3.6.1.4.1.3704.1.'

/**
 * Makes a simulated SEV-SNP platform with fresh keys. Reports and extensions have AMD's layout; the chain is signed with ECDSA
 * P-384 all along, where AMD's root and intermediates sign with RSA, because nothing here should need to make RSA keys.
 *
 * @param options randomness, moment, processor and kind of key
 * @param options.random source of private keys
 * @param options.at certificates are valid from a day before this moment on, the endorsement key's for seven years (VLEK: one)
 * @param options.product whose identification and TCB layout; Genoa when absent
 * @param options.key VCEK when absent
 * @returns the simulated platform
 *
 * @example
 * ```ts
 * import { platformRandom } from '@sealpool/crypto'
 * import { verifySnpReport } from '@sealpool/attest'
 * import { createAmdSimulator } from '@sealpool/attest/simulator'
 * const at = new Date()
 * const simulator = createAmdSimulator({ random: platformRandom, at, product: 'Turin', key: 'vlek' })
 * const report = simulator.report({ reportData: new Uint8Array(64) })
 * const options = { certificates: simulator.certificates(), crl: simulator.crl(at), at }
 * const verdict = verifySnpReport(report, { ...options, trustedRoots: [simulator.rootDigest] })
 * console.log(verdict.ok, verdict.simulated) // true true
 * ```
 */
export function createAmdSimulator(options: {
  readonly random: (length: number) => Uint8Array
  readonly at: Date
  readonly product?: SnpProduct
  readonly key?: 'vcek' | 'vlek'
}): AmdSimulator {
  const { random, product = 'Genoa', key: kind = 'vcek' } = options
  const newKey = () => p384.utils.randomSecretKey(random(72))
  const keys = { root: newKey(), authority: newKey(), vek: newKey(), stranger: newKey() }
  const from = Math.floor(options.at.getTime() / 1000) - day
  const line = lineOf(product)
  const chipId = new Uint8Array(64)
  chipId.set(random(line === 'Turin' ? 8 : 64))
  const root = { commonName: simulatorRootName, privateKey: keys.root }
  const authorityName = `SEV-${kind === 'vlek' ? 'VLEK-' : ''}${line}`
  const authoritySerial = Uint8Array.of(3, kind === 'vlek' ? 1 : 0, 1)
  const dates = { notBefore: from, notAfter: from + 25 * 365 * day }
  const curve = 'p384' as const
  const rootCertificate = makeCertificate({
    ...dates,
    curve,
    commonName: root.commonName,
    publicKey: publicKeyOf(keys.root, curve),
    issuer: root,
    authority: { pathLength: 1 },
    serial: Uint8Array.of(3, 0, 0),
  })
  const authorityCertificate = makeCertificate({
    ...dates,
    curve,
    commonName: authorityName,
    publicKey: publicKeyOf(keys.authority, curve),
    issuer: root,
    authority: { pathLength: 0 },
    serial: authoritySerial,
  })
  const vekCertificate = (defect?: AmdCertificateDefect) => {
    const commonName = kind === 'vlek' ? 'SEV-VLEK' : 'SEV-VCEK'
    const signer =
      defect === 'self-signed'
        ? { commonName, privateKey: keys.vek }
        : { commonName: authorityName, privateKey: defect === 'forged' ? keys.stranger : keys.authority }
    return makeCertificate({
      notBefore: from,
      notAfter: defect === 'expired' ? from + 3600 : from + (kind === 'vlek' ? 1 : 7) * 365 * day,
      curve,
      commonName,
      publicKey: publicKeyOf(keys.vek, curve),
      issuer: signer,
      serial: Uint8Array.of(0),
      extensions: vekExtensions({ line, kind, chipId, defect }),
    })
  }
  return {
    rootDigest: sha256Digest(rootCertificate),
    certificates: ({ defect } = {}) => [
      vekCertificate(defect),
      ...(defect === 'authority-missing' ? [] : [authorityCertificate]),
      ...(defect === 'root-missing' ? [] : [rootCertificate]),
    ],
    crl(at, { defect } = {}) {
      const shift = defect === 'stale' ? -60 * day : defect === 'from-the-future' ? 60 * day : 0
      const thisUpdate = Math.floor(at.getTime() / 1000) + shift - 3600
      const list = makeRevocationList({
        curve,
        issuer: defect === 'of-another-key' ? { ...root, privateKey: keys.stranger } : root,
        thisUpdate,
        nextUpdate: thisUpdate + 30 * day,
        revoked: [Uint8Array.of(2, 0, 1), ...(defect === 'revoked-authority' ? [authoritySerial] : [])],
      })
      if (defect === 'tampered') list[list.length - 1] = (list[list.length - 1] ?? 0) ^ 1
      return list
    },
    report: (content) => writeSnpReport(content, { product, chipId, kind, privateKey: keys.vek }),
  }
}

function vekExtensions(options: {
  readonly line: 'Milan' | 'Genoa' | 'Turin'
  readonly kind: 'vcek' | 'vlek'
  readonly chipId: Uint8Array
  readonly defect: AmdCertificateDefect | undefined
}): Uint8Array[] {
  const { line, kind, chipId, defect } = options
  const certified = defect === 'other-line' ? (line === 'Milan' ? 'Genoa' : 'Milan') : line
  const extension = (arc: string, value: Uint8Array) => derSequence(derOid(amd + arc), derOctets(value))
  const ia5 = (value: string) => der(derTag.ia5String, new TextEncoder().encode(value))
  const { fmc, bootloader, tee, snp, microcode } = readTcb(simulatedTcb[line], line)
  return [
    extension('1', derNumber(0)),
    extension('2', ia5(certified)),
    ...(fmc === undefined ? [] : [extension('3.9', derNumber(fmc))]),
    extension('3.1', derNumber(bootloader)),
    extension('3.2', derNumber(tee)),
    extension('3.3', derNumber(snp)),
    ...(defect === 'tcb-missing' ? [] : [extension('3.8', derNumber(microcode))]),
    ...(kind === 'vlek' ? [extension('5', ia5('CN=simulated.invalid'))] : []),
    ...(kind === 'vlek' || defect === 'hwid-missing'
      ? []
      : [extension('4', chipId.slice(0, certified === 'Turin' ? 8 : 64))]),
  ]
}
