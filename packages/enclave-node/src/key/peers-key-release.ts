/**
 * Key release by t of n peers: the root secret lies sealed to a committee's key (TDH2) in the settings; each peer attests the node
 * as a key broker does, and gives it its part of the decryption. Fewer than t peers, or their operators, learn nothing.
 * @module
 */
import {
  type Address,
  CryptoError,
  canonicalBytes,
  decodeBase64Url,
  digestToHex,
  sha256Digest,
} from '@sealpool/crypto'
import { combinePartialDecryptions, type ThresholdKey } from '@sealpool/crypto/threshold'
import { NodeError } from '../errors.js'
import { type BrokerOptions, brokerResource } from './key-broker.js'
import type { KeyRelease } from './key-release.js'

/**
 * What peers decrypt a root secret for; part of the envelope.
 * @param deployment chain and registry that the node serves
 */
export function rootLabel(deployment: {
  readonly chainId: number
  readonly nodeRegistry: Address
}): Uint8Array {
  const { chainId, nodeRegistry } = deployment
  return canonicalBytes({
    format: 'sealpool/node-root',
    version: 1,
    chainId,
    nodeRegistry: nodeRegistry.toLowerCase(),
  })
}

/**
 * The resource under which a peer gives its part for an envelope.
 * @param envelope the sealed root
 */
export function partResource(envelope: Uint8Array): string {
  return `sealpool-root/part/${digestToHex(sha256Digest(envelope)).slice(2)}`
}

/**
 * @param options `peers`: base addresses of the committee's members; `key`: the committee's; `envelope`: the root secret sealed to
 * it, base64url; `label`: {@link rootLabel}
 * @returns the adapter; it goes on as soon as enough good parts are there
 */
export function peersKeyRelease(
  options: Omit<BrokerOptions, 'url'> & {
    readonly peers: readonly string[]
    readonly key: ThresholdKey
    readonly envelope: string
    readonly label: Uint8Array
  },
): KeyRelease {
  return {
    name: 'peers',
    simulated: false,
    async release() {
      const { peers, key, label, ...broker } = options
      let envelope: Uint8Array
      try {
        envelope = decodeBase64Url(options.envelope)
      } catch (cause) {
        throw failed('the sealed root secret in the settings is no base64url', cause)
      }
      const resource = partResource(envelope)
      const partials: unknown[] = []
      const combined = () => combinePartialDecryptions({ key, envelope, label, partials }).plaintext
      const asked = peers.map(async (url): Promise<Uint8Array> => {
        const bytes = await brokerResource({ ...broker, url }, resource)
        partials.push(JSON.parse(new TextDecoder().decode(bytes)) as unknown)
        return combined()
      })
      try {
        // The first answer with which there are enough; whoever is slow, or lies, holds up nobody.
        return requireRoot(await Promise.any(asked))
      } catch (cause) {
        if (!(cause instanceof AggregateError)) throw cause
      }
      try {
        return requireRoot(combined())
      } catch (cause) {
        if (!(cause instanceof CryptoError)) throw cause
        throw failed(
          `${partials.length} of ${peers.length} peers answered, and their parts do not open it (${cause.code})`,
          cause,
        )
      }
    },
  }
}

function requireRoot(plaintext: Uint8Array): Uint8Array {
  if (plaintext.length === 32) return plaintext
  throw failed('what is sealed in the settings is no root secret of 32 bytes')
}

function failed(why: string, cause?: unknown): NodeError {
  return new NodeError('KEY_UNREADABLE', 'peers', why, { cause })
}
