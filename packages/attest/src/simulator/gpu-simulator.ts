import { p384 } from '@noble/curves/nist.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { encodeBase64Url } from '@sealpool/crypto'
import { type DstackEvent, dstackRuntimeEventType } from '../dstack/event-log.js'
import { AttestError } from '../errors.js'
import { replayRegister } from '../event-log/replay.js'
import { type NvidiaServiceKey, nvidiaTokenIssuer } from '../nvidia/token.js'
import { sign } from './test-pki.js'

/** Model of every simulated GPU, as tokens name it: nobody who reads it can take it for hardware. */
export const simulatedGpuModel = 'SIMULATED GPU - NOT HARDWARE'

/** GPUs that do not exist, and a service that vouches for them as NVIDIA's would. */
export interface GpuSimulator {
  /** Public keys of the simulated service, as rules for its tokens name them; no rules of NVIDIA's own keys accept its tokens. */
  readonly serviceKeys: readonly NvidiaServiceKey[]
  /** The service's token on so many GPUs, over a nonce; valid for an hour from a minute before the moment. */
  token(asked: { readonly nonce: Uint8Array; readonly devices: number; readonly at: Date }): unknown
}

/** Nothing is wrong with a simulated device's certificates. */
const goodChain = {
  'x-nvidia-cert-status': 'valid',
  'x-nvidia-cert-ocsp-status': 'good',
  'x-nvidia-cert-expiration-date': '9999-12-31T23:59:59Z',
  'x-nvidia-cert-revocation-reason': null,
}

/**
 * Makes a simulated service with a fresh key.
 *
 * @param options randomness
 * @param options.random source of the private key: the same bytes always give the same service
 * @returns the service
 *
 * @example
 * ```ts
 * import { platformRandom } from '@sealpool/crypto'
 * import { verifyNvidiaToken } from '@sealpool/attest/platform-evidence'
 * import { createGpuSimulator } from '@sealpool/attest/simulator'
 *
 * const at = new Date()
 * const nonce = platformRandom(32)
 * const { serviceKeys, token } = createGpuSimulator({ random: platformRandom })
 * const { ok, devices } = verifyNvidiaToken(token({ nonce, devices: 2, at }), { keys: serviceKeys, at, nonce })
 * console.log(ok, devices[0]?.hardwareModel) // true 'SIMULATED GPU - NOT HARDWARE'
 * ```
 */
export function createGpuSimulator(options: {
  readonly random: (length: number) => Uint8Array
}): GpuSimulator {
  // 72 bytes reduced modulo the order: bias below 2^-128 (FIPS 186-5 A.2.1).
  const privateKey = p384.utils.randomSecretKey(options.random(72))
  const point = p384.getPublicKey(privateKey, false)
  const [x, y] = [encodeBase64Url(point.slice(1, 49)), encodeBase64Url(point.slice(49))]
  const keyId = `simulated-${bytesToHex(sha256(point)).slice(0, 16)}`
  const signed = (claims: object): string => {
    const part = (value: object) => encodeBase64Url(utf8ToBytes(JSON.stringify(value)))
    const text = `${part({ alg: 'ES384', kid: keyId, typ: 'JWT' })}.${part(claims)}`
    return `${text}.${encodeBase64Url(sign(utf8ToBytes(text), privateKey, 'p384'))}`
  }
  return {
    serviceKeys: [{ kty: 'EC', crv: 'P-384', kid: keyId, x, y }],
    token({ nonce, devices, at }) {
      const seconds = Math.floor(at.getTime() / 1000)
      const common = {
        iss: nvidiaTokenIssuer,
        nbf: seconds - 60,
        iat: seconds - 60,
        exp: seconds + 3_600,
        eat_nonce: bytesToHex(nonce),
      }
      const tokens = Array.from({ length: devices }, (_, index): [string, string] => [
        `GPU-${index}`,
        signed({ ...common, ...deviceClaims, ueid: String(index) }),
      ])
      const submods = Object.fromEntries(
        tokens.map(([name, token]) => [
          name,
          ['DIGEST', ['SHA-256', bytesToHex(sha256(utf8ToBytes(token)))]],
        ]),
      )
      const overall = signed({ ...common, 'x-nvidia-overall-att-result': true, submods })
      return [['JWT', overall], Object.fromEntries(tokens)]
    },
  }
}

/** What the simulated service says of each device. */
const deviceClaims = {
  hwmodel: simulatedGpuModel,
  measres: 'success',
  secboot: true,
  dbgstat: 'disabled',
  'x-nvidia-gpu-driver-version': 'simulated',
  'x-nvidia-gpu-vbios-version': 'simulated',
  'x-nvidia-attestation-warning': null,
  'x-nvidia-gpu-arch-check': true,
  'x-nvidia-gpu-attestation-report-cert-chain': goodChain,
  'x-nvidia-gpu-attestation-report-cert-chain-fwid-match': true,
  'x-nvidia-gpu-attestation-report-nonce-match': true,
  'x-nvidia-gpu-attestation-report-signature-verified': true,
  'x-nvidia-gpu-driver-rim-cert-chain': goodChain,
}

/** A guest of dstack that does not exist, as far as its event log goes. */
export interface SimulatedDstackGuest {
  /** See `composeHash`, 32 bytes. */
  readonly composeHash: `0x${string}`
  /** 20 bytes. */
  readonly appId: `0x${string}`
  /** What the app wrote after the boot, in order: name, and payload as bytes. */
  readonly appEvents: readonly { readonly name: string; readonly payload: Uint8Array }[]
}

/**
 * Writes the event log of a simulated guest, with the registers that a quote of it must carry.
 *
 * @param guest its app, and what the app wrote; `gpuModeEvent` makes the event of its GPUs
 * @returns the log as a guest agent gives it, and RTMR0 to RTMR3, 48 bytes each
 * @throws AttestError `BAD_ARGUMENT` when an event of the app has a name of none or more than 1,000 characters
 */
export function simulatedDstackLog({ composeHash, appId, appEvents }: SimulatedDstackGuest): {
  readonly eventLog: readonly DstackEvent[]
  readonly rtmrs: readonly Uint8Array[]
} {
  const firmware = [0, 1, 2].map((imr) => ({
    imr,
    event_type: 4,
    digest: bytesToHex(sha384(utf8ToBytes(`simulated register ${imr}`))),
    event: '',
    event_payload: '',
  }))
  const wrong = appEvents.find(({ name }) => name.length === 0 || name.length > 1_000)
  if (wrong !== undefined)
    throw new AttestError('BAD_ARGUMENT', 'guest.appEvents', 'An event has a name of 1 to 1,000 characters')
  const eventLog = [
    ...firmware,
    runtimeEvent('app-id', hexToBytes(appId.slice(2))),
    runtimeEvent('compose-hash', hexToBytes(composeHash.slice(2))),
    runtimeEvent('key-provider', utf8ToBytes('{"name":"simulated","id":"00"}')),
    runtimeEvent('system-ready', new Uint8Array()),
    ...appEvents.map(({ name, payload }) => runtimeEvent(name, payload)),
  ]
  const rtmrs = [0, 1, 2, 3].map((imr) =>
    replayRegister(eventLog.filter((one) => one.imr === imr).map(({ digest }) => hexToBytes(digest))),
  )
  return { eventLog, rtmrs }
}

function runtimeEvent(event: string, payload: Uint8Array): DstackEvent {
  // The type as four bytes, least significant first, then name and payload: version 1 of the digest.
  const digest = sha384(concatBytes(Uint8Array.of(1, 0, 0, 8), utf8ToBytes(`:${event}:`), payload))
  return {
    imr: 3,
    event_type: dstackRuntimeEventType,
    digest: bytesToHex(digest),
    event,
    event_payload: bytesToHex(payload),
  }
}
