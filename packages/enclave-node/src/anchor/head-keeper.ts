/**
 * The keeper's side of heads that are anchored at peers: remembers of each node that the settings name the newest head that it has signed.
 * It believes of a node what that node's key has signed, and keeps it only for one that it has attested.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import type { AuditLog } from '../audit/audit-file.js'
import type { NamedNode } from '../config/anchor-settings.js'
import { NodeError } from '../errors.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { Sql, StateStore } from '../state/state-store.js'
import { decideHead, type KeptHead, readKeptHead, writeKeptHead } from './kept-heads.js'
import { readHeadQuestion, readStateHead, type SignedHead } from './state-head.js'

/** Why nothing is said or kept. */
export type KeeperRefusal =
  /** It is no statement of a node on these contracts, or of another form. */
  | 'STATEMENT_INVALID'
  /** The settings do not name who has signed it. */
  | 'NOT_NAMED'
  /** It was signed to ask another node, or too long ago. */
  | 'QUESTION_STALE'
  | 'NODE_NOT_ATTESTED'

/** What a keeper answers a question. */
export type AskedAnswer =
  | ({ readonly state: 'known' } & (KeptHead | { readonly head: null; readonly conflict: null }))
  | { readonly state: 'refused'; readonly reason: KeeperRefusal }

/** What a keeper answers a head. */
export type ToldAnswer =
  | { readonly state: 'kept' }
  /** What it keeps instead. */
  | { readonly state: 'differs'; readonly head: SignedStatement | null }
  | { readonly state: 'refused'; readonly reason: KeeperRefusal }
  /** It would at another time. */
  | { readonly state: 'later'; readonly reason: 'NODE_SILENT' | 'KEEPER_NOT_WORKING' }

/** A node whose state was put back: it has gone two ways from there. */
export interface ContradictedNode {
  readonly node: Address
  /** Two heads of one version that differ, each signed by it. */
  readonly statements: readonly [SignedStatement, SignedStatement]
}

/** What nodes may ask of this one. */
export interface HeadKeeper {
  ask(question: unknown): Promise<AskedAnswer>
  /** @param previous digest of the head that the node believes to be kept here; null: none */
  keep(head: unknown, previous: Digest | null): Promise<ToldAnswer>
  /** Nodes that have signed two different heads of one version, with both. */
  conflicts(): Promise<readonly ContradictedNode[]>
  figures(): Readonly<Record<string, number>>
}

/** What keeping needs. */
export interface HeadKeeperOptions {
  readonly store: StateStore
  readonly sign: Pick<NodeSigner, 'deployment'>
  /** Digest of this node's own key set. */
  readonly keySet: Digest
  readonly keeps: readonly NamedNode[]
  /** Verifies a node that the settings name. @throws NodeError */
  readonly attest: (node: NamedNode) => Promise<AttestedPeer>
  /** Whether this node's own state is the newest, as far as it knows: else what it keeps would be forgotten with it. */
  readonly mayKeep: () => boolean
  readonly audit: Pick<AuditLog, 'write'>
  /** Unix seconds. */
  readonly now: () => number
  readonly onError: (node: Address, error: unknown) => void
}

/** Seconds for which a question counts, before and after. */
const questionSeconds = 300

/** @returns what nodes may ask of this one; open it once for a store */
export async function headKeeper(options: HeadKeeperOptions): Promise<HeadKeeper> {
  const { store, sign, keySet, now } = options
  const named = new Map(options.keeps.map((node) => [node.address, node]))
  const contradicted = new Set<Address>()
  for (const address of named.keys()) {
    const kept = await readKeptHead(store, address)
    if (kept !== undefined && kept.conflict !== null) contradicted.add(address)
  }
  return {
    async conflicts() {
      const found = await Promise.all(
        [...contradicted].map(async (node) => ({
          node,
          statements: (await readKeptHead(store, node))?.conflict,
        })),
      )
      return found.flatMap(({ node, statements }) => (statements ? [{ node, statements }] : []))
    },
    figures: () => ({ kept_heads_contradicted: contradicted.size }),
    async ask(value) {
      const read = readHeadQuestion(value, sign.deployment)
      if (read === undefined) return { state: 'refused', reason: 'STATEMENT_INVALID' }
      if (!named.has(read.signer)) return { state: 'refused', reason: 'NOT_NAMED' }
      const { keeper, at } = read.question
      if (keeper !== keySet || Math.abs(now() - at) > questionSeconds)
        return { state: 'refused', reason: 'QUESTION_STALE' }
      const kept = await readKeptHead(store, read.signer)
      return { state: 'known', ...(kept ?? { head: null, conflict: null }) }
    },
    async keep(value, previous) {
      const head = readStateHead(value, sign.deployment)
      if (head === undefined) return { state: 'refused', reason: 'STATEMENT_INVALID' }
      const node = named.get(head.signer)
      if (node === undefined) return { state: 'refused', reason: 'NOT_NAMED' }
      if (!options.mayKeep()) return { state: 'later', reason: 'KEEPER_NOT_WORKING' }
      const refused = await refusalOf(node)
      if (refused !== undefined) return refused
      const { kept, outcome, conflict } = await store.transaction((tx) => decide(tx, head, previous))
      if (conflict) {
        contradicted.add(node.address)
        const { line, version } = head.head
        options.audit.write({ event: 'head-contradicted', facts: { node: node.address, line, version } })
      }
      return outcome === 'kept' ? { state: 'kept' } : { state: 'differs', head: kept?.head ?? null }
    },
  }

  /** Decides about a head, and writes what comes of it. */
  async function decide(tx: Sql, head: SignedHead, previous: Digest | null) {
    const kept = await readKeptHead(tx, head.signer)
    const before = headOf(kept)
    const outcome = decideHead(before, { head, previous })
    const isNew = before?.mark.digest !== head.mark.digest
    if (outcome === 'kept' && isNew)
      await writeKeptHead(tx, head.signer, { head: head.signed, conflict: kept?.conflict ?? null })
    const conflict = outcome === 'conflict' && kept !== undefined && kept.conflict === null
    if (conflict) await writeKeptHead(tx, head.signer, { ...kept, conflict: [kept.head, head.signed] })
    return { kept, outcome, conflict }
  }

  function headOf(kept: KeptHead | undefined): SignedHead | null {
    if (kept === undefined) return null
    const read = readStateHead(kept.head, sign.deployment)
    if (read !== undefined) return read
    throw new NodeError('STATE_UNREADABLE', 'kept state head', 'what is kept of a node has another form')
  }

  async function refusalOf(node: NamedNode): Promise<ToldAnswer | undefined> {
    try {
      await options.attest(node)
      return undefined
    } catch (error) {
      options.onError(node.address, error)
      if (!(error instanceof NodeError)) throw error
      return error.code === 'PEER_NOT_ATTESTED'
        ? { state: 'refused', reason: 'NODE_NOT_ATTESTED' }
        : { state: 'later', reason: 'NODE_SILENT' }
    }
  }
}
