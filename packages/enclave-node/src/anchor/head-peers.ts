/**
 * The node's side of heads that are anchored at peers: asks them at its start what they have seen of it, and tells them how far it has come.
 *
 * What is told was written down in the state before it was sent, so that of all heads that a peer can have, the state knows every one: a peer
 * that shows another newer one has seen a state that this disk has not.
 * @module
 */
import type { Address, JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { inOrder } from '../chain/in-order.js'
import type { NamedNode } from '../config/anchor-settings.js'
import { NodeError } from '../errors.js'
import { JobPutOff } from '../job/job-refusal.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import type { SealedStore } from '../state/sealed-store.js'
import type { Sql } from '../state/state-store.js'
import { givenTo, readHeadBook, withSent, writeHeadBook } from './head-book.js'
import { type PeersWord, requireNotBehindPeer } from './require-not-behind-peer.js'
import {
  compareMarks,
  type HeadMark,
  readStateHead,
  type SignedHead,
  type StateHead,
  signHeadQuestion,
  signStateHead,
} from './state-head.js'

/** The peers that remember how far this node has come. */
export interface HeadPeers {
  /**
   * Asks those who have not answered since the start.
   * @throws NodeError `STATE_ROLLED_BACK` when one of them has seen a newer state
   */
  confirm(): Promise<void>
  /** Whether as many as the settings ask for have answered since the start, and none has seen a newer state. */
  confirmed(): boolean
  /**
   * Has the state as it is now remembered by as many as the settings ask for, or soon, where they ask for none.
   * @throws JobPutOff `HEADS_NOT_KEPT` until it is; NodeError `STATE_ROLLED_BACK`
   */
  cover(): Promise<void>
  /** Does what is due. @returns false: nothing follows at once */
  round(): Promise<boolean>
  /** Why this node does nothing, if it is for its peers. */
  reasons(): readonly string[]
  /** What its operator should know besides. */
  notes(): readonly string[]
  figures(): Readonly<Record<string, number>>
}

/** With what a peer is asked. */
export interface AskPeersOptions {
  readonly sign: NodeSigner
  /** This node's statement address: what others have signed counts for nothing. */
  readonly self: Address
  /** Verifies a peer. @throws NodeError `PEER_NOT_ATTESTED`, `NODE_UNREACHABLE` */
  readonly attest: (peer: NamedNode) => Promise<AttestedPeer>
  readonly call: (peer: AttestedPeer) => PeerLine
  /** Unix seconds. */
  readonly now: () => number
}

/** What telling needs besides. */
export interface HeadPeersOptions extends AskPeersOptions {
  readonly store: SealedStore
  /** Version of the state as it was opened, for messages. */
  readonly openedAt: number
  readonly peers: readonly NamedNode[]
  readonly required: number
  readonly seconds: number
  /** Where the budget ledgers end. */
  readonly budgets: (sql: Sql) => Promise<StateHead['budgets']>
  /** Whether this node speaks for its key now: of all that ever had the state, one tells. */
  readonly mayTell: () => Promise<boolean>
  readonly onError: (peer: Address, error: unknown) => void
  /** Told when a peer has seen a newer state: the node must end. */
  readonly onRolledBack: (error: NodeError) => void
}

const refused = z.object({ state: z.enum(['refused', 'later']), reason: z.string().max(50) })
const askedSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('known'),
    head: z.json().nullable(),
    conflict: z.tuple([z.json(), z.json()]).nullable(),
  }),
  refused,
])
const toldSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('kept') }),
  z.object({ state: z.literal('differs'), head: z.json().nullable() }),
  refused,
])

/** Longest wait before a peer that failed is asked again. */
const longestWaitSeconds = 300

/** How it stands with one peer. */
interface Line {
  readonly node: NamedNode
  /** What it has; undefined: that is not known, ask first. */
  has: HeadMark | null | undefined
  answered: boolean
  /** It has lost what it had taken: it may find it again. */
  lost: boolean
  /** It has signed statements of two states of this node. */
  conflict: boolean
  /** The state is remembered by it up to this version. */
  upTo: number
  failures: number
  /** Unix seconds before which it is left alone. */
  until: number
}

/**
 * Asks one peer what it has of this node.
 * @returns its word, and whether it has two different heads of one version
 * @throws NodeError `PEER_ANSWER_INVALID` for what this node has not signed; `HEAD_NOT_KEPT` when it keeps none for this node;
 * `PEER_NOT_ATTESTED`, `NODE_UNREACHABLE`
 */
export async function askPeer(
  { sign, self, attest, call, now }: AskPeersOptions,
  node: NamedNode,
): Promise<PeersWord & { readonly conflict: boolean }> {
  const peer = await attest(node)
  const question = signHeadQuestion(sign, { keeper: peer.keySetDigest, at: now() })
  const body = { question: question as unknown as JsonValue }
  const answer = await call(peer)({ method: 'POST', path: '/v1/heads/ask', body })
  const read = readAnswer(askedSchema, answer, node)
  const own = (value: unknown) => ownHead(value, { sign, self, node })
  const [first, second] = read.conflict?.map(own) ?? []
  const conflict = first != null && second != null && isContradiction(first, second)
  return { ...node, found: own(read.head), conflict }
}

/** Of one version, and not the same: the state has gone two ways. */
function isContradiction({ mark: first }: SignedHead, { mark: second }: SignedHead): boolean {
  return compareMarks(first, second) === 0 && first.digest !== second.digest
}

function readAnswer<Answer extends { readonly state: string }>(
  schema: z.ZodType<Answer>,
  { status, body }: { readonly status: number; readonly body: unknown },
  { url }: NamedNode,
): Exclude<Answer, { readonly reason: string }> {
  const read = schema.safeParse(body)
  if (status !== 200 || !read.success)
    throw new NodeError('NODE_UNREACHABLE', url, 'the peer did not answer what it was asked; try again')
  if (isRefusal(read.data)) {
    const { state, reason } = read.data
    throw new NodeError('HEAD_NOT_KEPT', url, `the peer keeps no head of this node (${state}: ${reason})`)
  }
  return read.data as Exclude<Answer, { readonly reason: string }>
}

function isRefusal(answer: {
  readonly state: string
}): answer is { readonly state: string; readonly reason: string } {
  return 'reason' in answer
}

/** Whatever a peer says, only what this very node has signed can stop it. */
function ownHead(
  value: unknown,
  { sign, self, node }: Pick<AskPeersOptions, 'sign' | 'self'> & { readonly node: NamedNode },
): SignedHead | null {
  if (value === null) return null
  const found = readStateHead(value, sign.deployment)
  if (found?.signer === self) return found
  throw new NodeError('PEER_ANSWER_INVALID', node.url, 'the peer shows a head that this node has not signed')
}

/** @returns the peers, to this node */
export function headPeers(options: HeadPeersOptions): HeadPeers {
  const { store, sign, required, seconds, now, onError } = options
  const lines = options.peers.map(
    (node): Line => ({
      node,
      has: undefined,
      answered: false,
      lost: false,
      conflict: false,
      upTo: -1,
      failures: 0,
      until: 0,
    }),
  )
  const alone = inOrder()
  let over: NodeError | undefined
  let due = false
  let toldAt: number | undefined
  let toldUpTo = -1

  const answered = () => lines.filter((line) => line.answered).length
  const isCovered = (version: number) => lines.filter(({ upTo }) => upTo >= version).length >= required
  const free = () => lines.filter(({ until }) => until <= now())

  /** Does something with a peer; one that fails holds up no other. */
  async function attempt(line: Line, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      line.failures = 0
      line.answered = true
    } catch (error) {
      if (error instanceof NodeError && error.code === 'STATE_ROLLED_BACK') {
        if (over === undefined) options.onRolledBack(error)
        over ??= error
        throw error
      }
      // What was sent may have come there or not.
      line.has = undefined
      line.failures += 1
      line.until = now() + Math.min(2 ** Math.min(line.failures, 8), longestWaitSeconds)
      onError(line.node.address, error)
    }
  }

  async function hear(line: Line, { found, conflict }: { found: SignedHead | null; conflict: boolean }) {
    const state = { book: await readHeadBook(store), version: options.openedAt }
    const standing = await requireNotBehindPeer(store, state, { ...line.node, found })
    if (standing === 'behind')
      onError(
        line.node.address,
        new NodeError('HEAD_NOT_KEPT', line.node.url, 'the peer has an older head than it had'),
      )
    line.lost ||= standing === 'behind'
    line.conflict = conflict
    line.has = found?.mark ?? null
  }

  const ask = (asked: readonly Line[]) =>
    Promise.all(asked.map((line) => attempt(line, async () => hear(line, await askPeer(options, line.node)))))

  async function tell(): Promise<void> {
    const ready = free()
    await ask(ready.filter(({ has }) => has === undefined))
    const told = ready.filter(({ has }) => has !== undefined)
    if (told.length === 0) return
    const given = await store.transaction(async (tx) => {
      const { version, state } = store.head()
      const book = await readHeadBook(tx)
      const head = signStateHead(sign, {
        line: book.line,
        version,
        state,
        budgets: await options.budgets(tx),
      })
      const peers = Object.fromEntries(
        told.map(({ node: { address }, has = null, lost }) => [
          address,
          withSent(givenTo(book, address), { has, lost }, head.mark),
        ]),
      )
      await writeHeadBook(tx, { ...book, peers: { ...book.peers, ...peers } })
      return head
    })
    // The commit that notes the head holds nothing else: who has the head has seen it as well.
    const upTo = given.head.version + 1
    due = false
    toldAt = now()
    toldUpTo = upTo
    await Promise.all(told.map((line) => attempt(line, () => send(line, given, upTo))))
  }

  async function send(line: Line, given: SignedHead, upTo: number): Promise<void> {
    const { node, has } = line
    const peer = await options.attest(node)
    const answer = await options.call(peer)({
      method: 'POST',
      path: '/v1/heads/keep',
      body: { head: given.signed as unknown as JsonValue, previous: has?.digest ?? null },
    })
    const read = readAnswer(toldSchema, answer, node)
    if (read.state === 'kept') {
      line.has = given.mark
      line.lost = false
      line.upTo = upTo
    } else {
      await hear(line, { found: ownHead(read.head, { ...options, node }), conflict: line.conflict })
    }
  }

  async function confirm(): Promise<void> {
    if (over !== undefined) throw over
    await alone(() => ask(free().filter((line) => !line.answered)))
  }

  return {
    confirm,
    confirmed: () => over === undefined && answered() >= required,
    async cover() {
      if (over !== undefined) throw over
      if (required === 0) {
        due = true
        return
      }
      const { version } = store.head()
      if (isCovered(version)) return
      await alone(async () => {
        if (!isCovered(version) && (await options.mayTell())) await tell()
      })
      if (isCovered(version)) return
      throw new JobPutOff(
        'HEADS_NOT_KEPT',
        'the job waits for the nodes that remember how far this one has come; nothing is read or released before',
        undefined,
        2,
      )
    },
    async round() {
      if (over !== undefined) return false
      await confirm()
      const isNew = store.head().version > toldUpTo
      // The distance, not the order: a clock that was set back would have all wait for as long.
      const isDue = due || toldAt === undefined || Math.abs(now() - toldAt) >= seconds
      const isMissed = free().some(({ upTo }) => upTo < toldUpTo)
      if ((isNew && isDue) || isMissed) {
        await alone(async () => {
          if (answered() >= required && (await options.mayTell())) await tell()
        })
      }
      return false
    },
    reasons() {
      if (over !== undefined) return [over.message]
      if (answered() >= required) return []
      return [
        `PEERS_SILENT: ${answered()} of ${required} nodes that must say first how far this one had come have answered; it does nothing until then`,
      ]
    },
    notes() {
      const silent = lines.filter((line) => !line.answered || line.failures > 0)
      return [
        ...(required === 0 || required * 2 > lines.length
          ? []
          : [
              `PEERS_DISJOINT: ${required} of ${lines.length} nodes that remember how far this one has come are asked to answer: a host can let an old disk ask others than those that have seen the newest state; ask for more than half`,
            ]),
        ...(silent.length === 0
          ? []
          : [
              `PEERS_SILENT: ${silent.length} of ${lines.length} nodes that remember how far this one has come do not answer: ${silent
                .map(({ node }) => node.address)
                .join(', ')}`,
            ]),
        ...lines
          .filter(({ conflict }) => conflict)
          .map(
            ({ node }) =>
              `STATE_CONTRADICTED: ${node.address} has two heads of one version that this node has signed`,
          ),
      ]
    },
    figures: () => ({
      state_head_peers_silent: lines.filter((line) => !line.answered || line.failures > 0).length,
      state_head_peers_current: lines.filter(({ upTo }) => upTo >= toldUpTo && upTo >= 0).length,
      state_commits_unseen: Math.max(0, store.head().version - Math.max(0, ...lines.map(({ upTo }) => upTo))),
      state_head_conflicts: lines.filter(({ conflict }) => conflict).length,
    }),
  }
}
