import { bytesToHex } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import type { DstackEvent } from './event-log.js'

/** A dstack attestation as its guest agent packs it, version 0; nothing is verified yet. */
export interface DstackAttestation {
  /** By platform. */
  readonly evidence:
    | { readonly platform: 'tdx'; readonly quote: Uint8Array; readonly eventLog: readonly DstackEvent[] }
    | {
        readonly platform: 'sev-snp'
        readonly report: Uint8Array
        /** As they were found: PEM or DER. */
        readonly certificates: readonly Uint8Array[]
        /** Document of MrConfig version 3, which HOST_DATA names. */
        readonly mrConfig: string
      }
    | { readonly platform: 'nitro'; readonly document: Uint8Array }
  /** Events that the guest extended itself, for platforms whose log does not hold them. */
  readonly runtimeEvents: readonly { readonly event: string; readonly payload: Uint8Array }[]
  /** 64 bytes that the guest says it asked for. */
  readonly reportData: Uint8Array
  /** The machine's configuration, JSON text; possibly empty. */
  readonly config: string
}

const maximumLength = 10 << 20
const maximumEntries = 10_000
/** Chains have three; as for PEM texts. */
const maximumCertificates = 16

/**
 * Reads dstack's versioned container of evidence: version 0, in SCALE. Version 1 (a map, first byte not zero) is refused: no
 * sample of it was at hand to hold a reader against.
 *
 * @param bytes the container and nothing else
 * @returns its parts; nothing is verified here
 * @throws AttestError `BAD_EVIDENCE`; its `place` names the byte
 * @see Dstack-TEE/dstack, dstack-attest; SCALE codec (Parity)
 */
export function parseDstackAttestation(bytes: Uint8Array): DstackAttestation {
  needBytes(bytes, 'attestation')
  let at = 0
  const bad = (what: string) =>
    new AttestError(
      'BAD_EVIDENCE',
      `attestation.byte ${at}`,
      `Not a dstack attestation of version 0: ${what}`,
    )
  if (bytes.length > maximumLength) throw bad('it is too long')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const skip = (length: number) => {
    if (length > bytes.length - at) throw bad('it ends too early')
    at += length
    return at - length
  }
  const u8 = () => view.getUint8(skip(1))
  const u32 = () => view.getUint32(skip(4), true)
  /** SCALE's compact numbers; only the shortest form of each counts. */
  const compact = () => {
    const first = u8()
    const mode = first & 3
    if (mode === 0) return first >> 2
    at -= 1
    if (mode === 3) throw bad('a length of more than four bytes')
    const value = mode === 1 ? view.getUint16(skip(2), true) >> 2 : view.getUint32(skip(4), true) >>> 2
    if (value < (mode === 1 ? 1 << 6 : 1 << 14)) throw bad('a length is not in its shortest form')
    return value
  }
  const take = (length: number) => {
    const start = skip(length)
    return bytes.subarray(start, start + length)
  }
  const octets = () => take(compact())
  const text = () => {
    const content = octets()
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
    } catch {
      throw bad('text that is not UTF-8')
    }
  }
  const list = <T>(entry: () => T, maximum = maximumEntries): T[] => {
    const count = compact()
    if (count > maximum) throw bad(`a list of more than ${maximum} entries`)
    return Array.from({ length: count }, entry)
  }
  const hexOctets = () => bytesToHex(octets())
  const evidence = (): DstackAttestation['evidence'] => {
    const kind = u8()
    if (kind === 0) {
      const quote = octets()
      const eventLog = list((): DstackEvent => {
        const [imr, event_type] = [u32(), u32()]
        return { imr, event_type, digest: hexOctets(), event: text(), event_payload: hexOctets() }
      })
      return { platform: 'tdx', quote, eventLog }
    }
    if (kind === 2) return { platform: 'nitro', document: octets() }
    if (kind === 3) {
      return {
        platform: 'sev-snp',
        report: octets(),
        certificates: list(octets, maximumCertificates),
        mrConfig: text(),
      }
    }
    throw bad('evidence of a platform that is not known')
  }
  if (u8() !== 0) throw bad('it is of another version')
  const value: DstackAttestation = {
    evidence: evidence(),
    runtimeEvents: list(() => ({ event: text(), payload: octets() })),
    reportData: take(64),
    config: text(),
  }
  if (at !== bytes.length) throw bad('bytes are left over')
  return value
}
