/**
 * The entries that one attested peer signs for its own pools.
 * @module
 */
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { PeerLine } from '../peer/call-peer.js'
import { type CatalogueEntry, type EntryRules, readEntry, type SignedEntry } from './catalogue-entry.js'

const pageSchema = z.looseObject({
  entries: z.array(z.unknown()).max(100),
  next: z.string().max(100).nullable(),
})
const maximumPages = 200

/** What became of asking a peer. */
export interface PeerEntries {
  readonly entries: readonly SignedEntry[]
  /** Entries that were refused, by reason. */
  readonly refused: readonly string[]
}

/**
 * Asks a peer for its own entries, page by page. One that does not hold up is refused alone.
 * @param line to the attested peer
 * @param rules by what entries are judged: signed by this very peer
 * @param options `isTrue`: whether an entry says what the chain and the peer's evidence say; `maximumEntries`: more are not taken
 * @returns entries and refusals
 * @throws NodeError `PEER_ANSWER_INVALID` when the peer answers something else
 */
export async function peerEntries(
  line: PeerLine,
  rules: EntryRules,
  options: { readonly isTrue: (entry: CatalogueEntry) => Promise<boolean>; readonly maximumEntries: number },
): Promise<PeerEntries> {
  const entries: SignedEntry[] = []
  const refused: string[] = []
  const pools = new Set<string>()
  let after: string | null = null
  for (let page = 0; page < maximumPages; page++) {
    const path = `/v1/catalogue?own=true${after === null ? '' : `&after=${encodeURIComponent(after)}`}`
    const { status, body } = await line({ method: 'GET', path, body: null })
    const read = pageSchema.safeParse(body)
    if (status !== 200 || !read.success)
      throw new NodeError('PEER_ANSWER_INVALID', rules.node, 'the peer gives no catalogue')
    for (const one of read.data.entries) {
      try {
        const signed = readEntry(one, rules)
        if (pools.has(signed.entry.pool)) throw invalid(rules, 'it comes twice')
        const isTrue = await options.isTrue(signed.entry).catch((cause: unknown) => {
          // An address that is no pool makes the reading fail: of this entry alone.
          throw invalid(rules, 'the chain could not be asked about its pool', cause)
        })
        if (!isTrue) throw invalid(rules, 'the chain or the node’s evidence says something else')
        if (entries.length >= options.maximumEntries) throw invalid(rules, 'there are too many')
        pools.add(signed.entry.pool)
        entries.push(signed)
      } catch (error) {
        if (!(error instanceof NodeError) || error.code !== 'ENTRY_INVALID') throw error
        if (refused.length < 100) refused.push(error.message)
      }
    }
    after = read.data.next
    if (after === null) return { entries, refused }
  }
  throw new NodeError('PEER_ANSWER_INVALID', rules.node, 'the peer’s catalogue does not end')
}

function invalid({ node }: EntryRules, why: string, cause?: unknown): NodeError {
  return new NodeError('ENTRY_INVALID', `catalogue of ${node}`, why, { cause })
}
