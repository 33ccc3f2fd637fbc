/**
 * When a member hands its share on. A resharing gives the power to open a root to other machines, so that a member takes no file's
 * word for it: its measured settings must name the very session, the registry must list it with these settings, and each machine that
 * gets a part must be listed itself, under a card that it has signed.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { digestOf } from '@sealpool/crypto'
import { type ThresholdKey, type ThresholdSession, thresholdSessionDigest } from '@sealpool/crypto/threshold'
import type { ChainPort } from '../chain/chain-port.js'
import { isListed } from '../chain/is-listed.js'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { MemberCard } from './member-card.js'

/** What a resharing is judged by. */
export interface ReshareAsked {
  /** Takes over a key. */
  readonly session: ThresholdSession
  /** The key of the committee of which this node holds a share. */
  readonly held: ThresholdKey
  /** Cards that were read for the session's purpose, chain and registry. */
  readonly cards: readonly MemberCard[]
  /** Sessions that the node's settings allow. */
  readonly allowed: readonly Digest[]
  readonly deployment: { readonly chainId: number; readonly nodeRegistry: Address }
  readonly keys: NodeKeyRing
  readonly chain: Pick<ChainPort, 'node'>
}

/**
 * Refuses a resharing that this member must not take part in.
 * @throws NodeError `COMMITTEE_INVALID`: its place names what is wrong
 */
export async function requireReshare(asked: ReshareAsked): Promise<void> {
  const { session, held, cards, allowed, deployment, keys, chain } = asked
  if (session.chainId !== deployment.chainId || session.registry !== deployment.nodeRegistry.toLowerCase())
    throw invalid('session', 'it is for another chain or registry than the settings')
  if (session.previous === null || keyDigest(session.previous) !== keyDigest(held))
    throw invalid('session.previous', 'it does not take over the key of the committee that was given')
  const digest = thresholdSessionDigest(session)
  if (!allowed.includes(digest))
    throw invalid(
      'committee.reshares',
      `the settings do not name the session; to agree to it, add ${digest} and have the node registered with these settings`,
    )
  if (!(await isListed(chain, keys)))
    throw invalid(
      'committee.reshares',
      'the registry does not list this node with the settings that name the session; have it registered first',
    )
  for (const [index, member] of session.members.entries()) {
    const place = `session.members[${index}]`
    const card = cards.find(({ address }) => address === member.address)
    if (card?.encryptionKey !== member.encryptionKey)
      throw invalid(
        place,
        'no card of that member names its key; give its card, as it has printed it, with --member',
      )
    if ((await chain.node(member.address))?.active !== true)
      throw invalid(place, 'the registry does not list the member as active; have it registered first')
  }
}

function keyDigest(key: ThresholdKey): Digest {
  return digestOf({ ...key, members: key.members.map((member) => ({ ...member })) })
}

function invalid(place: string, why: string): NodeError {
  return new NodeError('COMMITTEE_INVALID', place, why)
}
