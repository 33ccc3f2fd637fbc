import { isBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'

/** Most session-key packets of one file: each costs a key derivation from the password. */
const maximumKeyPackets = 2
/** Argon2 (RFC 9580 section 3.7.1.4): most passes, lanes, and the logarithm of most KiB of memory. */
const maximumArgon = { passes: 4, lanes: 4, memory: 16 } as const
const symmetricKeyPacket = 3
/** Symmetrically encrypted data, with an integrity check: of versions 1 and 2 (18), and of GnuPG and OpenPGP.js 5 (20). */
const dataPackets: readonly number[] = [18, 20]

/**
 * Looks at what a password-encrypted OpenPGP message will cost before anything is derived from the password: its leading
 * packets say how often and with how much memory, and a hostile file of a hundred bytes can ask for gigabytes. Between them and
 * the data nothing else may stand: a reader skips markers, padding and unknown packets, and behind them more passwords could hide.
 *
 * @param file - binary OpenPGP message (RFC 9580 section 4.2 and 5.3)
 * @throws CryptoError `OPENPGP_REFUSED` when it does not begin with a packet for a password, has more than two of them,
 *   asks for more work than 4 passes over 64 MiB, or is followed by anything but one packet of data
 */
export function requireModestWork(file: Uint8Array): void {
  if (!isBytes(file)) throw refused('it is no Uint8Array')
  let at = 0
  for (let count = 0; ; count++) {
    const packet = packetAt(file, at)
    if (packet === undefined || packet.tag !== symmetricKeyPacket) {
      if (count === 0) throw refused('it is no OpenPGP message under a password')
      if (packet === undefined || !dataPackets.includes(packet.tag) || packet.end !== file.length)
        throw refused('behind the packets of its passwords stands something else than one packet of data')
      return
    }
    if (count === maximumKeyPackets) throw refused(`it has more than ${maximumKeyPackets} passwords`)
    requireModestDerivation(file.subarray(packet.start, packet.end))
    at = packet.end
  }
}

function requireModestDerivation(body: Uint8Array): void {
  const version = body[0]
  // Version 4: cipher, then the specifier; 5: cipher, AEAD, specifier; 6: two lengths more (RFC 9580 section 5.3).
  const offset = version === 4 ? 2 : version === 5 ? 3 : version === 6 ? 5 : undefined
  if (offset === undefined) throw refused('its key packet has an unknown version')
  const kind = body[offset]
  if (kind === 0 || kind === 1 || kind === 3) return
  const [passes = 255, lanes = 255, memory = 255] = kind === 4 ? body.subarray(offset + 17, offset + 20) : []
  if (passes > maximumArgon.passes || lanes > maximumArgon.lanes || memory > maximumArgon.memory) {
    throw refused('it asks for more work or memory than a password is worth')
  }
}

interface Packet {
  readonly tag: number
  readonly start: number
  readonly end: number
}

/** The packet at a place, by its header of either format; nothing when it has none or runs past the end. */
function packetAt(file: Uint8Array, at: number): Packet | undefined {
  const first = file[at] ?? 0
  if ((first & 0x80) === 0) return undefined
  const newFormat = (first & 0x40) !== 0
  const tag = newFormat ? first & 0x3f : (first >> 2) & 0x0f
  const second = file[at + 1] ?? 0
  let width: number
  if (newFormat) width = second < 192 ? 1 : second < 224 ? 2 : second === 255 ? 5 : 0
  else width = [1, 2, 4, 0][first & 3] ?? 0
  // Of unknown length: only the data packet behind the key packets may be.
  if (width === 0) return { tag, start: at + 1, end: file.length }
  const start = at + 1 + width
  const bytes = file.subarray(at + 1 + (newFormat && width === 5 ? 1 : 0), start)
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  const length = newFormat && width === 2 ? value - 192 * 256 + 192 : value
  return start + length > file.length ? undefined : { tag, start, end: start + length }
}

function refused(why: string): CryptoError {
  return new CryptoError('OPENPGP_REFUSED', 'file', why)
}
