/**
 * Shows a node a verifiable credential for the access conditions of a pool: signed by its holder for this node and this wallet, once.
 * @module
 */
import { type Address, type Digest, type KeySet, keySetDigest } from '@sealpool/crypto'
import { type PresentedConditions, presentationNonceSchema, presentedSchema } from '../node-api/messages.js'
import type { NodeApi } from '../node-api/node-api.js'
import { keySetResource } from './key-set-resource.js'

const path = '/presentation'

/** What the holder's signature (the key binding JWT) must name. */
export interface PresentationChallenge {
  /** Its `nonce`: from the node, for one presentation by one wallet. */
  readonly nonce: string
  /** Its `aud`: the node by its attested keys, so that no other node takes the presentation. */
  readonly audience: string
}

/** What is shown. */
export interface ShownCredential {
  /** SD-JWT with key binding, compact: with the disclosures that the conditions ask for, and no others. */
  readonly presentation: string
  /** The token status list (JWT) in which the credential is, where a condition asks for its status. The node fetches nothing. */
  readonly statusList?: string
}

/** Has the holder's wallet sign. It is called once for each presentation; the node's evidence was verified before. */
export type Present = (challenge: PresentationChallenge) => ShownCredential | Promise<ShownCredential>

/**
 * Whom a presentation is for, as its `aud` names it.
 *
 * @param keySet digest of the node's key set
 * @returns the audience
 */
export function credentialAudience(keySet: Digest): string {
  return keySetResource + keySet
}

/**
 * Presents a credential to a verified node.
 *
 * @param node its API, which seals calls and signs in
 * @param options `pool` whose conditions are to be met; `keySet` of the node, verified; `present`
 * @returns what it came to for each credential that the pool asks for
 */
export async function presentCredential(
  node: Pick<NodeApi, 'ask'>,
  options: { readonly pool: Address; readonly keySet: KeySet; readonly present: Present },
): Promise<PresentedConditions> {
  const { pool, keySet, present } = options
  const { nonce } = await node.ask(presentationNonceSchema, path)
  const shown = await present({ nonce, audience: credentialAudience(keySetDigest(keySet)) })
  const { presentation, statusList = null } = shown
  const shownTo = { pool, nonce, presentation, statusList }
  return (await node.ask(presentedSchema, path, shownTo)).conditions
}
