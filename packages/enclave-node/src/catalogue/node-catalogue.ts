/**
 * The catalogue of a node: its own pools, and those of peers that it attests.
 * @module
 */
import type { Address, Hex, SignedStatement } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import type { NodeLogger } from '../runtime/logger.js'
import { catalogueEntryType, entryBody, type SignedEntry } from './catalogue-entry.js'
import {
  type CatalogueIndex,
  type CataloguePage,
  type CatalogueQuery,
  catalogueIndex,
} from './catalogue-index.js'
import { ownEntry } from './own-entry.js'
import { peerEntries } from './peer-entries.js'

/** The catalogue. */
export interface NodeCatalogue {
  /** @param query with `own`, only what this node serves itself */
  search(query: Omit<CatalogueQuery, 'now' | 'limit'> & { readonly own?: boolean }): CataloguePage
  /** @returns the entries that are most like that of `pool`; undefined when there is none */
  similar(pool: Address): ReturnType<CatalogueIndex['similar']>
  /** Signs its own entries anew, and asks its peers for theirs. What a peer no longer gives, or who is no peer any more, is gone. */
  refresh(): Promise<void>
}

/** Entries on one page. */
export const entriesAtOnce = 50
/** Entries that are like one. */
export const similarAtOnce = 20

/** What the catalogue works with. */
export interface NodeCatalogueOptions {
  readonly chain: Pick<ChainPort, 'chainId' | 'registry' | 'pool'>
  readonly sign: NodeSigner
  readonly node: Address
  /** Where this node is reached. */
  readonly url: () => string
  readonly measurement: Hex
  readonly simulated: boolean
  readonly pools: ReadonlyMap<Address, ServedPool>
  /** Epoch of this node's key for a pool; undefined as long as it is not on the chain. */
  readonly epochOf: (pool: Address) => number | undefined
  /** How many contributions are in a pool's tables, and the block of the newest. */
  readonly refinedOf: (
    pool: Address,
  ) => Promise<{ readonly count: number; readonly newestBlock: string | null }>
  /** Whether this node itself is listed: one that is not says nothing. */
  readonly isListed: () => Promise<boolean>
  readonly peers: readonly string[]
  /** Attests a peer. @throws NodeError */
  readonly attest: (url: string) => Promise<AttestedPeer>
  readonly lineTo: (peer: AttestedPeer) => PeerLine
  readonly maximumEntries: number
  /** Unix seconds. */
  readonly now: () => number
  readonly log: NodeLogger
}

/** @returns an empty catalogue; refresh it */
export function nodeCatalogue(options: NodeCatalogueOptions): NodeCatalogue {
  const { chain, sign, node, pools, maximumEntries, now, log } = options
  const own = catalogueIndex(maximumEntries)
  const all = catalogueIndex(maximumEntries)
  /** By peer, the pools that came from it. */
  const given = new Map<string, ReadonlySet<string>>()

  const statementOn = (entry: SignedEntry['entry']): SignedStatement =>
    sign({
      type: catalogueEntryType,
      body: entryBody(entry),
      pool: entry.pool,
      subject: subjectOf(0),
      nonce: '0',
    })

  async function refreshOwn(): Promise<void> {
    const listed = await options.isListed()
    for (const pool of pools.values()) {
      const epoch = listed ? options.epochOf(pool.address) : undefined
      if (epoch === undefined) {
        own.remove(pool.address)
        all.remove(pool.address)
        continue
      }
      const { count, newestBlock } = await options.refinedOf(pool.address)
      const { measurement, simulated } = options
      const entry = ownEntry(pool, {
        node,
        url: options.url(),
        epoch,
        measurement,
        simulated,
        refined: count,
        newestBlock,
        now: now(),
      })
      const signed = { entry, statement: statementOn(entry) }
      own.put(signed)
      all.put(signed)
    }
  }

  async function refreshPeer(url: string): Promise<void> {
    const before = given.get(url) ?? new Set<string>()
    const after = new Set<string>()
    try {
      const peer = await options.attest(url)
      const rules = {
        chainId: chain.chainId,
        registry: chain.registry.toLowerCase() as Address,
        node: peer.statementAddress,
        now: now(),
      }
      const { entries, refused } = await peerEntries(options.lineTo(peer), rules, {
        maximumEntries,
        isTrue: async (entry) => {
          if (pools.has(entry.pool)) return false
          const { keyEpoch, policyDigest } = await chain.pool(entry.pool)
          return (
            // The chain names one node for each pool: two cannot list the same one.
            keyEpoch?.node === peer.statementAddress &&
            keyEpoch.epoch === entry.epoch &&
            policyDigest === entry.policy &&
            peer.measurement === entry.measurement &&
            peer.simulated === entry.simulated &&
            peer.url === entry.url.replace(/\/$/, '')
          )
        },
      })
      if (refused.length > 0) log.warn({ peer: url, refused }, 'entries of a peer were refused')
      for (const signed of entries) if (all.put(signed)) after.add(signed.entry.pool)
    } catch (error) {
      // Who cannot be attested now is no peer now; whatever it is, the next one is asked.
      log.warn({ err: error, peer: url }, 'a peer is left out of the catalogue')
    } finally {
      given.set(url, after)
      const others = new Set([...given].flatMap(([one, pools_]) => (one === url ? [] : [...pools_])))
      for (const pool of before) if (!after.has(pool) && !others.has(pool)) all.remove(pool)
    }
  }

  return {
    search({ own: isOwn = false, ...query }) {
      return (isOwn ? own : all).search({ ...query, limit: entriesAtOnce, now: now() })
    },
    similar: (pool) => all.similar(pool, { limit: similarAtOnce, now: now() }),
    async refresh() {
      await refreshOwn()
      for (const url of options.peers) await refreshPeer(url)
    },
  }
}
