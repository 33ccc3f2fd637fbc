/**
 * Peers that hold shares of a committee's key, each behind a key broker of its own that attests who asks.
 * @module
 */
import type { Simulator } from '@sealpool/attest/simulator'
import {
  addressOf,
  canonicalBytes,
  encodeBase64Url,
  type JsonObject,
  platformRandom,
  sha256Digest,
} from '@sealpool/crypto'
import {
  complain,
  concludeSession,
  dealShares,
  decryptPartially,
  memberPublicKey,
  openShare,
  sealEnvelope,
  type ThresholdSession,
} from '@sealpool/crypto/threshold'
import { partResource, rootLabel } from '../key/peers-key-release.js'
import { type FakeBroker, startFakeBroker } from './fake-key-broker.js'

/** Makes the key of t of n peers and starts them. @param change how the peer with this place behaves */
export async function startFakeCommittee(options: {
  readonly simulator: Simulator
  readonly root: Uint8Array
  readonly threshold: number
  readonly members: number
  readonly change?: (place: number) => Partial<FakeBroker>
}) {
  const { simulator, root, threshold } = options
  const members = Array.from({ length: options.members }, () => ({
    signingKey: platformRandom(32),
    encryptionKey: platformRandom(32),
  }))
  const session: ThresholdSession = {
    type: 'sealpool/threshold-session',
    version: 1,
    chainId: 31_337,
    registry: `0x${'11'.repeat(20)}`,
    pool: `0x${'00'.repeat(20)}`,
    purpose: sha256Digest(new TextEncoder().encode('node roots')),
    threshold,
    members: members.map(({ signingKey, encryptionKey }) => ({
      address: addressOf(signingKey),
      encryptionKey: memberPublicKey(encryptionKey),
    })),
    previous: null,
  }
  const dealt = members.map(({ signingKey }) =>
    dealShares({ session, signingKey, random: platformRandom, share: undefined }),
  )
  const commitments = dealt.map(({ commitment }) => commitment)
  const deals = dealt.map(({ deal }) => deal)
  const complaints = members.flatMap((member) =>
    complain({ session, commitments, deals, ...member, random: platformRandom }),
  )
  const transcript = { commitments, deals, complaints }
  const { key } = concludeSession(session, transcript)
  if (key === null) throw new Error('no key came of the session')
  const label = rootLabel({ chainId: 31_337, nodeRegistry: `0x${'11'.repeat(20)}` })
  const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: root, random: platformRandom })
  const peers = await Promise.all(
    members.map(({ encryptionKey }, place) => {
      const share = openShare({ session, transcript, encryptionKey })
      return startFakeBroker({
        simulator,
        resource: (path) =>
          path === partResource(envelope)
            ? canonicalBytes(
                decryptPartially({ share, envelope, label, random: platformRandom }) as unknown as JsonObject,
              )
            : undefined,
        ...options.change?.(place),
      })
    }),
  )
  return {
    key,
    label,
    envelope: encodeBase64Url(envelope),
    peers: peers.map(({ url }) => url),
    stop: async () => {
      await Promise.all(peers.map((peer) => peer.stop()))
    },
  }
}
