import { p256 } from '@noble/curves/nist.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import type { Collateral } from '../intel/collateral.js'
import type { PckPlatform } from '../intel/pck-extension.js'
import { integer, oneOf, record, schema, text } from '../shape/shape.js'
import { type CollateralDefect, writeCollateral } from './collateral-writer.js'
import { type SimulatedQuote, writeQuote } from './quote-writer.js'
import { makeCertificates, type SimulatorKeys } from './test-pki.js'

/** A simulated platform. */
export interface Simulator {
  /** DER of the root, common name {@link simulatorRootName}. */
  readonly rootCertificate: Uint8Array
  /** SHA-256 of {@link Simulator.rootCertificate}, as an attestation policy names it in `roots`. */
  readonly rootDigest: Digest
  /** Collateral issued an hour before `at` and current for thirty days; with one defect if wanted. */
  collateral(at: Date, options?: { readonly defect?: CollateralDefect }): Collateral
  /** A TDX quote; with one defect if wanted. */
  quote(content: SimulatedQuote): Uint8Array
}

/** A simulator as plain JSON. It holds private keys: they prove nothing, but whoever has them can pose as this simulator. */
export type SimulatorExport = {
  format: 'sealpool/simulator'
  version: 1
  /** Unix seconds. */
  from: number
  keys: { root: string; authority: string; pck: string; tcbSigning: string; attestation: string }
}

const platform: PckPlatform = {
  fmspc: '51aa1a7ed000',
  pceId: '0000',
  pceSvn: 11,
  sgxComponents: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
}

const roles = ['root', 'authority', 'pck', 'tcbSigning', 'attestation'] as const

const exports = new WeakMap<Simulator, SimulatorExport>()

/**
 * Makes a simulated platform with fresh keys.
 *
 * @param options randomness and moment
 * @param options.random source of private keys
 * @param options.at certificates are valid from a day before this moment until ten years after
 * @returns the simulator; the same export always gives the same certificates
 *
 * @example
 * ```ts
 * import { platformRandom } from '@sealpool/crypto'
 * import { verifyQuote } from '@sealpool/attest'
 * import { createSimulator } from '@sealpool/attest/simulator'
 * const at = new Date()
 * const simulator = createSimulator({ random: platformRandom, at })
 * const quote = simulator.quote({ reportData: new Uint8Array(64) })
 * const verdict = verifyQuote(quote, { collateral: simulator.collateral(at), at, trustedRoots: [simulator.rootDigest] })
 * console.log(verdict.ok, verdict.simulated) // true true
 * ```
 */
export function createSimulator(options: {
  readonly random: (length: number) => Uint8Array
  readonly at: Date
}): Simulator {
  const key = () => {
    // 48 bytes reduced modulo the order: bias below 2^-128 (FIPS 186-5 A.2.1).
    return bytesToHex(p256.utils.randomSecretKey(options.random(48)))
  }
  const [root, authority, pck, tcbSigning, attestation] = [key(), key(), key(), key(), key()]
  return importSimulator({
    format: 'sealpool/simulator',
    version: 1,
    from: Math.floor(options.at.getTime() / 1000),
    keys: { root, authority, pck, tcbSigning, attestation },
  })
}

/**
 * A simulator as JSON, so that a node can keep its root over restarts.
 *
 * @param simulator from {@link createSimulator} or {@link importSimulator}
 * @returns JSON that holds its private keys
 * @throws AttestError `BAD_SIMULATOR` for any other object
 */
export function exportSimulator(simulator: Simulator): SimulatorExport {
  const exported = exports.get(simulator)
  if (exported === undefined) {
    const message = 'Only simulators made by createSimulator or importSimulator can be exported'
    throw new AttestError('BAD_SIMULATOR', 'simulator', message)
  }
  return structuredClone(exported)
}

const secret = text({ pattern: /^[0-9a-f]{64}$/, what: '32 bytes of hex' })
const exportSchema = schema(
  'BAD_SIMULATOR',
  'simulator',
  'Not an exported simulator',
  record<SimulatorExport>({
    format: oneOf(['sealpool/simulator']),
    version: oneOf([1]),
    from: integer(0, 4_000_000_000),
    keys: record<SimulatorExport['keys']>({
      root: secret,
      authority: secret,
      pck: secret,
      tcbSigning: secret,
      attestation: secret,
    }),
  }),
)

/**
 * The simulator that was exported.
 *
 * @param json from {@link exportSimulator}, possibly after JSON.stringify and JSON.parse
 * @returns the simulator, with the same certificates as before
 * @throws AttestError `BAD_SIMULATOR`; the message never shows a key
 */
export function importSimulator(json: unknown): Simulator {
  const data = exportSchema.parse(json)
  if (!roles.every((role) => p256.utils.isValidSecretKey(hexToBytes(data.keys[role])))) {
    throw new AttestError('BAD_SIMULATOR', 'simulator.keys', 'Not an exported simulator')
  }
  const keys: SimulatorKeys = {
    root: hexToBytes(data.keys.root),
    authority: hexToBytes(data.keys.authority),
    pck: hexToBytes(data.keys.pck),
    tcbSigning: hexToBytes(data.keys.tcbSigning),
    attestation: hexToBytes(data.keys.attestation),
  }
  const certificates = makeCertificates(keys, platform, data.from)
  const simulator: Simulator = {
    rootCertificate: certificates.root.slice(),
    rootDigest: sha256Digest(certificates.root),
    collateral: (at, options = {}) =>
      writeCollateral({
        keys,
        certificates,
        platform,
        at: Math.floor(at.getTime() / 1000),
        defect: options.defect,
      }),
    quote: (content) => writeQuote(content, keys, certificates),
  }
  exports.set(simulator, data)
  return simulator
}
