/**
 * A committee of nodes, made as its members make it, without a network.
 * @module
 */
import { createSimulator } from '@sealpool/attest/simulator'
import { type Digest, encodeBase64Url, platformRandom } from '@sealpool/crypto'
import {
  complain,
  dealShares,
  memberPublicKey,
  sealEnvelope,
  type ThresholdSession,
} from '@sealpool/crypto/threshold'
import { keyBrokerApi } from '../api/key-broker-api.js'
import { type CommitteeFile, readCommittee } from '../committee/committee-file.js'
import { committeePurpose } from '../committee/committee-purpose.js'
import { type PartServerOptions, partServer } from '../committee/part-server.js'
import { servedParts } from '../committee/served-parts.js'
import type { NodeConfig } from '../config/node-config.js'
import type { KeyRelease } from '../key/key-release.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { peersKeyRelease, rootLabel } from '../key/peers-key-release.js'
import { listedNodes, quotesOf, simulatorPolicy } from './peer-node.js'

/** Makes a committee of these nodes, and seals a root to it. */
export function committeeCeremony(options: {
  readonly members: readonly NodeKeyRing[]
  readonly threshold: number
  readonly root: Uint8Array
  readonly deployment: Parameters<NodeKeyRing['committeeSecret']>[0]
}) {
  const { members, threshold, root, deployment } = options
  const purpose = committeePurpose('test')
  const holders = members.map((keys) => ({
    signingKey: keys.statementKey,
    encryptionKey: keys.committeeSecret(deployment, purpose),
    address: keys.statementAddress,
  }))
  const session: ThresholdSession = {
    type: 'sealpool/threshold-session',
    version: 1,
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
    pool: `0x${'00'.repeat(20)}`,
    purpose,
    threshold,
    members: holders.map(({ address, encryptionKey }) => ({
      address,
      encryptionKey: memberPublicKey(encryptionKey),
    })),
    previous: null,
  }
  const dealt = holders.map(({ signingKey }) => dealShares({ session, signingKey, random: platformRandom }))
  const commitments = dealt.map(({ commitment }) => commitment)
  const deals = dealt.map(({ deal }) => deal)
  const complaints = holders.flatMap((holder) =>
    complain({ session, commitments, deals, ...holder, random: platformRandom }),
  )
  const file = JSON.parse(
    JSON.stringify({
      format: 'sealpool/node-committee',
      version: 1,
      session,
      transcript: { commitments, deals, complaints },
    }),
  ) as CommitteeFile
  const { key } = readCommittee(file, 'test')
  const label = rootLabel(deployment)
  const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: root, random: platformRandom })
  return { file, key, label, envelope: encodeBase64Url(envelope) }
}

/** A key release from the real side of two members out of three, on a simulator, without a network. */
export async function committeeRelease(root: Uint8Array): Promise<KeyRelease> {
  const simulator = createSimulator({ random: platformRandom, at: new Date() })
  const quotes = quotesOf(simulator)
  const deployment = { chainId: 31_337, nodeRegistry: `0x${'11'.repeat(20)}` } as const
  const config: Digest = `sha256:${'8'.repeat(64)}`
  const members = [1, 2, 3].map(() => openKeyRing(platformRandom(32), config))
  const { file, key, label, envelope } = committeeCeremony({ members, threshold: 2, root, deployment })
  const settings = {
    chain: { deployment },
    committee: { roots: [{ committee: file, envelope, configs: [config] }] },
  } as unknown as NodeConfig
  const chain = listedNodes()
  chain.allowed.add(quotes.measurement)
  const { peers, fetch } = servedMembers(members.slice(0, 2), settings, {
    chain,
    evidencePolicy: simulatorPolicy(simulator),
  })
  return peersKeyRelease({
    peers,
    key,
    envelope,
    label,
    quotes,
    member: { config, collateral: (quote) => quotes.collateral(quote) },
    timeoutMs: 10_000,
    fetch,
  })
}

/** Members as they serve their parts, without a network; by default each is listed, works, and tells nobody of anything. */
export function servedMembers(
  members: readonly NodeKeyRing[],
  settings: NodeConfig,
  rules: Pick<PartServerOptions, 'chain' | 'evidencePolicy'> & Partial<PartServerOptions>,
  onError: (error: unknown) => void = () => undefined,
) {
  const apps = members.map((keys) =>
    keyBrokerApi(
      partServer({
        roots: servedParts({ config: settings, keys, random: platformRandom }),
        isListed: async () => true,
        stopped: () => false,
        simulated: true,
        audit: { write: () => undefined, count: () => undefined },
        random: platformRandom,
        now: () => Math.floor(Date.now() / 1000),
        ...rules,
      }),
      { limit: { perSecond: 1e6, burst: 1e6 }, clock: () => 0, onError },
    ),
  )
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const app = apps[Number(/member-(\d)/.exec(request.url)?.[1])]
    return (await app?.request(new URL(request.url).pathname, request)) ?? Response.error()
  }
  return { apps, peers: apps.map((_, place) => `https://member-${place}.example`), fetch }
}
