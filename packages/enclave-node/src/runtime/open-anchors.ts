/**
 * Opens both sides of heads that are anchored at other nodes, as far as the settings say so.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { type HeadKeeper, headKeeper } from '../anchor/head-keeper.js'
import { askPeer, type HeadPeers, headPeers } from '../anchor/head-peers.js'
import type { PeersWord } from '../anchor/require-not-behind-peer.js'
import type { AuditLog } from '../audit/audit-file.js'
import { takeRestoredHeads } from '../backup/restored-heads.js'
import type { ChainPort } from '../chain/chain-port.js'
import type { NamedNode } from '../config/anchor-settings.js'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { NodeSigner } from '../key/node-signer.js'
import { type AttestedPeer, attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import { platformNow, platformRandom } from '../platform.js'
import { budgetHeads } from '../state/budget-anchor.js'
import type { SealedStore, StateRoot } from '../state/sealed-store.js'
import type { NodeLogger } from './logger.js'
import { type Loop, startLoop } from './loop.js'

/** Milliseconds for one answer of another node: a start and a job wait for it. */
const peerTimeoutMs = 5_000
/** Milliseconds between two looks whether a head is due. */
const lookMs = 1_000
/** Seconds for which a node that was attested is believed to be what it was. */
const believedSeconds = 60

/** What both sides stand on. */
export interface AnchorParts {
  readonly config: NodeConfig
  readonly chain: Pick<ChainPort, 'chainId' | 'node' | 'measurementAllowed'>
  readonly keys: NodeKeyRing
  readonly sign: NodeSigner
  /** No hardware stands behind this node. */
  readonly simulated: boolean
}

/** What this node asks its peers with, see `askPeer`. */
function peerPorts({ config, chain, keys, sign, simulated }: AnchorParts) {
  const ports = { random: platformRandom, now: platformNow, timeoutMs: peerTimeoutMs }
  const believed = new Map<Address, { readonly peer: AttestedPeer; readonly until: number }>()
  const attest = async ({ address, url }: NamedNode): Promise<AttestedPeer> => {
    const held = believed.get(address)
    if (held !== undefined && held.until > platformNow()) return held.peer
    believed.delete(address)
    if (config.peers === null) throw new NodeError('CONFIG_INVALID', 'peers', 'there are no rules for peers')
    const { evidencePolicy } = config.peers
    const peer = await attestPeer({ ...ports, url, chain, evidencePolicy, simulated })
    if (peer.statementAddress !== address)
      throw new NodeError(
        'PEER_NOT_ATTESTED',
        url,
        `another node than ${address} answers there; correct the address`,
      )
    believed.set(address, { peer, until: platformNow() + believedSeconds })
    return peer
  }
  return {
    sign,
    self: keys.statementAddress,
    attest,
    // Nobody signs in: what is asked and told is signed itself, and a node asks before it is registered, too.
    call: (peer: AttestedPeer) => openPeer(peer, { ...ports, chainId: chain.chainId }),
    now: platformNow,
  }
}

/** @returns what each peer of the settings says of this node, or why it says nothing */
export function askHeadPeers(parts: AnchorParts): Promise<readonly PromiseSettledResult<PeersWord>[]> {
  const ports = peerPorts(parts)
  return Promise.allSettled((parts.config.anchors?.peers?.nodes ?? []).map((node) => askPeer(ports, node)))
}

/** The peers of a running node. */
export interface OpenedHeadPeers {
  readonly heads: HeadPeers
  /** Resolves when a peer has seen a newer state. */
  readonly rolledBack: Promise<NodeError>
  /** Keeps telling them. */
  start(): Loop
}

/**
 * Asks the peers what they have seen of this node, before it does anything.
 * @param parts `opened`: how far the state had come when it was opened
 * @returns undefined where the settings name none
 * @throws NodeError `STATE_ROLLED_BACK`; `CONFIG_INVALID` when this node is named itself
 */
export async function openHeadPeers(
  parts: AnchorParts & {
    readonly store: SealedStore
    readonly opened: StateRoot
    readonly pools: ReadonlyMap<Address, unknown>
    readonly isListed: () => Promise<boolean>
    readonly moved: () => boolean
  },
  log: NodeLogger,
): Promise<OpenedHeadPeers | undefined> {
  const { config, keys, store, opened, pools, isListed, moved } = parts
  for (const [place, nodes] of [
    ['peers.nodes', config.anchors?.peers?.nodes ?? []],
    ['keeps', config.anchors?.keeps ?? []],
  ] as const) {
    if (nodes.every(({ address }) => address !== keys.statementAddress)) continue
    const why = 'a node that remembers itself remembers nothing that its disk does not; name others'
    throw new NodeError('CONFIG_INVALID', `anchors.${place}`, why)
  }
  const peers = config.anchors?.peers ?? null
  if (peers === null) return undefined
  if (await takeRestoredHeads(store, { config, keys, opened }))
    log.warn('this state was restored from a backup by order; its heads begin another line')
  let tellOver: (error: NodeError) => void = () => undefined
  const rolledBack = new Promise<NodeError>((resolve) => {
    tellOver = resolve
  })
  const heads = headPeers({
    ...peerPorts(parts),
    store,
    openedAt: opened.version,
    peers: peers.nodes,
    required: peers.required,
    seconds: peers.seconds,
    budgets: (sql) => budgetHeads(sql, pools.keys()),
    mayTell: async () => !moved() && (await isListed()),
    onError: (peer, error) =>
      log.warn({ err: error, peer }, 'a node that remembers how far this one has come was not asked or told'),
    onRolledBack(error) {
      log.error({ err: error }, 'the state of this node is older than another one has seen it')
      tellOver(error)
    },
  })
  await heads.confirm()
  for (const note of [...heads.reasons(), ...heads.notes()]) log.warn(note)
  return {
    heads,
    rolledBack,
    start: () => startLoop({ name: 'heads', pollMs: lookMs, log, round: heads.round }),
  }
}

/**
 * Opens what other nodes may have remembered here.
 * @returns undefined where the settings name none
 */
export async function openHeadKeeper(
  parts: AnchorParts & {
    readonly store: SealedStore
    readonly audit: Pick<AuditLog, 'write'>
    /** Whether this node's own state is the newest, as far as it knows. */
    readonly mayKeep: () => boolean
  },
  log: NodeLogger,
): Promise<HeadKeeper | undefined> {
  const { config, keys, store, sign, audit, mayKeep } = parts
  const keeps = config.anchors?.keeps ?? []
  if (keeps.length === 0) return undefined
  return headKeeper({
    store,
    sign,
    keySet: keys.keySetDigest,
    keeps,
    attest: peerPorts(parts).attest,
    mayKeep,
    audit,
    now: platformNow,
    onError: (node, error) => log.warn({ err: error, node }, 'the head of a node was not kept'),
  })
}
