/**
 * A node and the peers that remember how far it has come, without a network: what goes between them goes through JSON.
 * @module
 */
import { type Address, type JsonValue, parseDigest } from '@sealpool/crypto'
import { type HeadKeeper, type HeadKeeperOptions, headKeeper } from '../anchor/head-keeper.js'
import { type HeadPeers, type HeadPeersOptions, headPeers } from '../anchor/head-peers.js'
import type { AuditFact } from '../audit/audit-chain.js'
import { NodeError } from '../errors.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { budgetHeads } from '../state/budget-anchor.js'
import { type MetaImage, type MetaStore, metaStore } from './meta-store.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'

export const headsPool: Address = addressOfDigit('a')
const registry = addressOfDigit('f')
export const ringOf = (digit: number): NodeKeyRing =>
  openKeyRing(new Uint8Array(32).fill(digit), digestOfDigit('9'))
export const signerOf = ({ statementKey }: NodeKeyRing) =>
  nodeSigner({ statementKey, chainId: 31_337, registry })
/** The node whose state is remembered. */
export const nodeRing = ringOf(7)
const peerOf = (ring: NodeKeyRing, url: string): AttestedPeer => ({
  url,
  statementAddress: ring.statementAddress,
  keySet: ring.keySet,
  keySetDigest: ring.keySetDigest,
  measurement: '0x01',
  simulated: true,
})

/** One that remembers. */
export interface WorldPeer {
  readonly ring: NodeKeyRing
  readonly url: string
  store: MetaStore
  keeper: HeadKeeper
  /** It answers nothing. */
  silent: boolean
  /** It loses what it answers: what it was told has come to it. */
  loses: boolean
  /** It is slow to take what it is told: what it has in `held` has no effect before it is called. */
  slow: boolean
  held: (() => Promise<unknown>)[]
  /** Says this instead, whatever it is asked. */
  says: JsonValue | undefined
  /** Its own state is put back, or it is started anew. */
  reopen(image?: MetaImage): Promise<void>
}

/** Makes a world. @param count of peers */
export async function headsWorld(count: number, change: Partial<HeadKeeperOptions> = {}) {
  const clock = { now: 1_700_000_000 }
  const errors: string[] = []
  const audited: AuditFact[] = []
  const noteError = (_: Address, error: unknown) => {
    errors.push(error instanceof NodeError ? error.code : String(error))
  }
  const keep = (store: MetaStore, ring: NodeKeyRing) =>
    headKeeper({
      store,
      sign: signerOf(ring),
      keySet: ring.keySetDigest,
      keeps: [{ address: nodeRing.statementAddress, url: 'https://node.example' }],
      attest: async () => peerOf(nodeRing, 'https://node.example'),
      mayKeep: () => true,
      audit: { write: (fact) => audited.push(fact) },
      now: () => clock.now,
      onError: noteError,
      ...change,
    })
  const peers: WorldPeer[] = []
  for (let digit = 1; digit <= count; digit += 1) {
    const ring = ringOf(digit)
    const store = metaStore()
    const peer: WorldPeer = {
      ring,
      url: `https://peer-${digit}.example`,
      store,
      keeper: await keep(store, ring),
      silent: false,
      loses: false,
      slow: false,
      held: [],
      says: undefined,
      async reopen(image = peer.store.image()) {
        peer.store = metaStore(image)
        peer.keeper = await keep(peer.store, ring)
      },
    }
    peers.push(peer)
  }
  const peerAt = (address: Address) => {
    const found = peers.find(({ ring }) => ring.statementAddress === address)
    if (found === undefined) throw new Error('there is no such peer')
    return found
  }
  const silence = ({ url }: WorldPeer) => new NodeError('NODE_UNREACHABLE', url, 'it does not answer')
  const call: HeadPeersOptions['call'] =
    ({ statementAddress }) =>
    async ({ path, body }) => {
      const peer = peerAt(statementAddress)
      if (peer.silent) throw silence(peer)
      const given = JSON.parse(JSON.stringify(body))
      const { previous } = given
      const keep = () => peer.keeper.keep(given.head, previous === null ? null : parseDigest(previous))
      if (peer.slow && path !== '/v1/heads/ask') {
        peer.held.push(keep)
        throw silence(peer)
      }
      const answer =
        peer.says ?? (path === '/v1/heads/ask' ? await peer.keeper.ask(given.question) : await keep())
      if (peer.loses) throw silence(peer)
      return { status: 200, body: JSON.parse(JSON.stringify({ simulated: true, ...(answer as object) })) }
    }
  const asking = {
    sign: signerOf(nodeRing),
    self: nodeRing.statementAddress,
    attest: async ({ address }: { readonly address: Address }) => {
      const peer = peerAt(address)
      if (peer.silent) throw silence(peer)
      return peerOf(peer.ring, peer.url)
    },
    call,
    now: () => clock.now,
  }
  const named = peers.map(({ ring, url }) => ({ address: ring.statementAddress, url }))
  return {
    clock,
    errors,
    audited,
    peers,
    named,
    asking,
    /** Starts the node on a disk. */
    start(store: MetaStore, options: Partial<HeadPeersOptions> = {}) {
      const over: NodeError[] = []
      const heads: HeadPeers = headPeers({
        ...asking,
        store,
        openedAt: store.head().version,
        peers: named,
        required: 1,
        seconds: 60,
        budgets: (sql) => budgetHeads(sql, [headsPool]),
        mayTell: async () => true,
        onError: noteError,
        onRolledBack: (error) => over.push(error),
        ...options,
      })
      return { heads, over }
    },
  }
}
