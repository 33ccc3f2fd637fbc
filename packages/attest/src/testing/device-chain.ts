import { p384 } from '@noble/curves/nist.js'
import { makeCertificate, publicKeyOf, type SimulatorCurve } from '../simulator/test-pki.js'
import { at, seededRandom } from './fixture.js'

// Chains of four certificates as AWS Nitro and NVIDIA's devices have them, under roots of trust that are nobody's.

const seconds = at.getTime() / 1000
const dates = { notBefore: seconds - 60, notAfter: seconds + 3600 }
/** Dates of a certificate that differ, unix seconds. */
export type ChangedDates = Partial<typeof dates>

/** Names and keys of a chain, the root first. */
export type DeviceNames = readonly [root: string, second: string, third: string, leaf: string]

/** What may be wrong with a simulated chain. */
export interface DeviceChainDefects {
  readonly leaf?: ChangedDates
  readonly third?: ChangedDates
  /** The third certificate is signed by a key that is not its issuer's. */
  readonly strangerSigns?: boolean
  /** Of all certificates; P-384 when absent. */
  readonly curve?: SimulatorCurve
  /** Further extensions of the leaf, encoded. */
  readonly extensions?: readonly Uint8Array[]
}

/** A key of 48 bytes cut to the size of the curve's. */
export function onCurve(privateKey: Uint8Array, curve: SimulatorCurve): Uint8Array {
  return curve === 'p384' ? privateKey : privateKey.slice(16)
}

/**
 * Keys of a chain, and what writes it.
 *
 * @param seed of the keys
 * @param names of the certificates
 */
export function deviceChain(seed: string, names: DeviceNames) {
  const random = seededRandom(seed)
  const newKey = () => p384.utils.randomSecretKey(random(72))
  const keys = { root: newKey(), second: newKey(), third: newKey(), leaf: newKey() }
  /** The leaf's certificate first and the root last. */
  const chain = (defects: DeviceChainDefects = {}): Uint8Array[] => {
    const { curve = 'p384', extensions } = defects
    const [root, second, third, leaf] = [
      { commonName: names[0], privateKey: onCurve(keys.root, curve) },
      { commonName: names[1], privateKey: onCurve(keys.second, curve) },
      { commonName: names[2], privateKey: onCurve(keys.third, curve) },
      { commonName: names[3], privateKey: onCurve(keys.leaf, curve) },
    ]
    const make = (
      one: typeof root,
      issuer: typeof root,
      pathLength: number | undefined,
      change: ChangedDates = {},
    ) =>
      makeCertificate({
        ...dates,
        ...change,
        commonName: one.commonName,
        publicKey: publicKeyOf(one.privateKey, curve),
        issuer,
        curve,
        ...(pathLength === undefined ? {} : { authority: { pathLength } }),
        ...(one === leaf && extensions !== undefined ? { extensions } : {}),
      })
    const stranger = { commonName: second.commonName, privateKey: leaf.privateKey }
    return [
      make(leaf, third, undefined, defects.leaf),
      make(third, defects.strangerSigns === true ? stranger : second, 0, defects.third),
      make(second, root, 1),
      make(root, root, 2),
    ]
  }
  return { keys, chain }
}
