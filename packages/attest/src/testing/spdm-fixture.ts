import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { derBits, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { sign } from '../simulator/test-pki.js'
import { type ChangedDates, type DeviceChainDefects, deviceChain } from './device-chain.js'

// SPDM measurements in the form of NVIDIA's devices, under a root of trust that is nobody's. No hardware stands behind them.

const { keys, chain } = deviceChain('spdm', [
  'Simulated Device Identity CA',
  'Simulated GH100 CA',
  'Simulated GH100 1',
  'Simulated GH100 GSP BROM',
])
const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const sha384Oid = '2.16.840.1.101.3.4.2.2'

export const spdmNonce = new Uint8Array(32).fill(6)
export const spdmFirmware = new Uint8Array(48).fill(0x0f)

/** What may be wrong with a simulated device's certificates. */
export interface SpdmChainDefects extends Omit<DeviceChainDefects, 'third' | 'extensions'> {
  readonly device?: ChangedDates
  /** Digest of the firmware in the leaf; null leaves the extension out. */
  readonly certified?: Uint8Array | null
  /** Its algorithm; SHA-384 when absent. */
  readonly hash?: string
  /** Content of the extension, when it is another than one has. */
  readonly extension?: Uint8Array
}

/** `CompositeDeviceID` of TCG's DICE profile: version, the device's key, and what names its firmware. */
export function firmwareName(digest: Uint8Array, hash = sha384Oid): Uint8Array {
  const device = derSequence(derSequence(derOid('1.2.840.10045.2.1')), derBits(Uint8Array.of(4)))
  return derSequence(derNumber(1), device, derSequence(derOid(hash), derOctets(digest)))
}

/** A device's chain, the key that signs measurements first and the root last. */
export function spdmChain(defects: SpdmChainDefects = {}): Uint8Array[] {
  const { certified = spdmFirmware, hash, extension, device, ...others } = defects
  const content = extension ?? (certified === null ? undefined : firmwareName(certified, hash))
  const extensions = content === undefined ? [] : [derSequence(derOid('2.23.133.5.4.1'), derOctets(content))]
  return chain({ ...others, ...(device === undefined ? {} : { third: device }), extensions })
}

/** The chain as NVIDIA's SDK hands it out. */
export const spdmCertificates = (defects: SpdmChainDefects = {}) => formatPemCertificates(spdmChain(defects))
/** Digest of the simulated root. */
export const spdmSimulatorRoot = `sha256:${bytesToHex(sha256(spdmChain().at(-1) ?? new Uint8Array()))}`

/** One measurement block; a size, a specification or a value size may be told that is not its own. */
export interface SpdmBlock {
  readonly index: number
  readonly value: Uint8Array
  readonly size?: number
  readonly specification?: number
  readonly valueSize?: number
}

/** What may be wrong with a simulated report. */
export interface SpdmDefects {
  readonly request?: string
  readonly nonce?: Uint8Array
  readonly response?: string
  readonly blocks?: readonly SpdmBlock[]
  /** Numbers in the response's head, when they are not the true ones. */
  readonly blockCount?: number
  readonly recordLength?: number
  /** Further bytes of the record. */
  readonly recordEnd?: Uint8Array
  /** NVIDIA's fields by type; the firmware's is 20. */
  readonly fields?: readonly (readonly [type: number, value: Uint8Array])[]
  /** The opaque part as a whole. */
  readonly opaque?: Uint8Array
  readonly opaqueLength?: number
  /** Bytes between the opaque part and the signature. */
  readonly unread?: Uint8Array
  readonly stranger?: boolean
}

export const spdmBlocks: readonly SpdmBlock[] = [1, 2, 3].map((index) => ({
  index,
  value: new Uint8Array(48).fill(index),
}))

const blockBytes = ({ index, value, ...told }: SpdmBlock) =>
  concatBytes(
    Uint8Array.of(index, told.specification ?? 1),
    u16(told.size ?? value.length + 3),
    Uint8Array.of(1),
    u16(told.valueSize ?? value.length),
    value,
  )

/** GET_MEASUREMENTS and the device's MEASUREMENTS, one after the other, signed by the device's simulated key. */
export function spdmReport(defects: SpdmDefects = {}): Uint8Array {
  const {
    blocks = spdmBlocks,
    fields = [
      [1, u16(7)],
      [20, spdmFirmware],
    ],
  } = defects
  const record = concatBytes(...blocks.map(blockBytes), defects.recordEnd ?? new Uint8Array())
  const length = defects.recordLength ?? record.length
  const opaque =
    defects.opaque ??
    concatBytes(...fields.map(([type, value]) => concatBytes(u16(type), u16(value.length), value)))
  const signed = concatBytes(
    hexToBytes(defects.request ?? '11e001ff'),
    defects.nonce ?? spdmNonce,
    Uint8Array.of(0),
    hexToBytes(defects.response ?? '11600000'),
    Uint8Array.of(defects.blockCount ?? blocks.length, length & 0xff, (length >> 8) & 0xff, length >> 16),
    record,
    new Uint8Array(32).fill(0x0d),
    u16(defects.opaqueLength ?? opaque.length),
    opaque,
    defects.unread ?? new Uint8Array(),
  )
  const key = defects.stranger === true ? keys.root : keys.leaf
  return concatBytes(signed, sign(signed, key, 'p384'))
}
