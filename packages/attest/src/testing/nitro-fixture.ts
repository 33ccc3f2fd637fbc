import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { sign } from '../simulator/test-pki.js'
import { cborBytes, cborInteger, cborList, cborMap, cborNull, cborText } from './cbor-writer.js'
import { type ChangedDates, type DeviceChainDefects, deviceChain, onCurve } from './device-chain.js'
import { at } from './fixture.js'

// Attestation documents in the form of AWS Nitro's, under a root of trust that is nobody's. No hardware stands behind them.

const { keys, chain } = deviceChain('nitro', [
  'simulated.nitro-enclaves',
  'zone.simulated.nitro-enclaves',
  'i-1.simulated.nitro-enclaves',
  'i-1-enc2.simulated',
])

/** Which certificate of a document differs, and how. */
export interface NitroChainDefects extends Omit<DeviceChainDefects, 'third' | 'extensions'> {
  readonly instance?: ChangedDates
}

/** Certificates of a document, the enclave's first and the root last. */
export function nitroChain({ instance, ...defects }: NitroChainDefects = {}): Uint8Array[] {
  return chain({ ...defects, ...(instance === undefined ? {} : { third: instance }) })
}

/** Digest of the simulated root. */
export const nitroSimulatorRoot = `sha256:${bytesToHex(sha256(nitroChain().at(-1) ?? new Uint8Array()))}`

/** What may be wrong with a simulated document. */
export interface NitroDefects extends NitroChainDefects {
  /** Fields of the payload, encoded; null leaves one out. */
  readonly fields?: Readonly<Record<string, Uint8Array | null>>
  /** The registers, encoded under their numbers. */
  readonly pcrs?: readonly (readonly [Uint8Array, Uint8Array])[]
  /** The payload as a whole, encoded. */
  readonly payload?: Uint8Array
  readonly definite?: boolean
  readonly header?: Uint8Array
  readonly unprotected?: Uint8Array
  /** What the signature's structure is called; `Signature1` in a COSE_Sign1. */
  readonly context?: string
  readonly strangerSignsDocument?: boolean
  /** Further items of the COSE structure. */
  readonly more?: readonly Uint8Array[]
  readonly tag?: boolean
}

export const nitroNonce = new Uint8Array(20).fill(7)
export const nitroRegister = (fill: number, length = 48) => cborBytes(new Uint8Array(length).fill(fill))
/** PCR0 to PCR4 as a document has them. */
export const nitroRegisters = [0, 1, 2, 3, 4].map(
  (index) => [cborInteger(index), nitroRegister(index + 1)] as const,
)

/** A document, signed by the enclave's simulated key. */
export function nitroDocument(defects: NitroDefects = {}): Uint8Array {
  const [certificate = new Uint8Array(), ...authorities] = nitroChain(defects)
  const fields: Record<string, Uint8Array | null> = {
    module_id: cborText('i-1-enc2'),
    digest: cborText('SHA384'),
    timestamp: cborInteger(at.getTime()),
    pcrs: cborMap(defects.pcrs ?? nitroRegisters),
    certificate: cborBytes(certificate),
    cabundle: cborList(authorities.reverse().map(cborBytes)),
    public_key: cborBytes(Uint8Array.of(1, 2)),
    user_data: cborNull,
    nonce: cborBytes(nitroNonce),
    ...defects.fields,
  }
  const entries = Object.entries(fields).flatMap(([name, value]) =>
    value === null ? [] : [[cborText(name), value] as const],
  )
  const payload = defects.payload ?? cborMap(entries, defects.definite !== true)
  const header = defects.header ?? hexToBytes('a1013822')
  const signed = cborList([
    cborText(defects.context ?? 'Signature1'),
    cborBytes(header),
    cborBytes(new Uint8Array()),
    cborBytes(payload),
  ])
  const { curve = 'p384' } = defects
  const key = onCurve(defects.strangerSignsDocument === true ? keys.root : keys.leaf, curve)
  const document = cborList([
    cborBytes(header),
    defects.unprotected ?? cborMap([]),
    cborBytes(payload),
    cborBytes(sign(signed, key, curve)),
    ...(defects.more ?? []),
  ])
  return defects.tag === true ? concatBytes(Uint8Array.of(0xd2), document) : document
}
