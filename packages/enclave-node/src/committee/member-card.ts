/**
 * What a machine offers to a committee, signed with its statement key: whoever hands shares on must know that the key to which it
 * seals them is the listed node's own, and not that of whoever passed the file around.
 * @module
 */
import {
  type Address,
  CryptoError,
  type Digest,
  type Hex,
  type JsonObject,
  verifyStatement,
} from '@sealpool/crypto'
import { memberPublicKey } from '@sealpool/crypto/threshold'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { nodeSigner, subjectOf } from '../key/node-signer.js'

const cardSchema = z.strictObject({
  format: z.literal('sealpool/committee-member'),
  version: z.literal(2),
  purpose: z.custom<Digest>((value) => /^sha256:[0-9a-f]{64}$/.test(String(value))),
  address: z.custom<Address>((value) => /^0x[0-9a-f]{40}$/.test(String(value))),
  encryptionKey: z.custom<Hex>((value) => /^0x[0-9a-f]{66}$/.test(String(value))),
  signature: z.custom<Hex>((value) => /^0x[0-9a-f]{130}$/.test(String(value))),
})

/** What one machine of a committee offers: its statement key's address, and where its shares are sent to. */
export type MemberCard = z.output<typeof cardSchema>

/** Where a card counts. */
interface Deployment {
  readonly chainId: number
  readonly nodeRegistry: Address
}

const type = 'sealpool/committee-member'

/**
 * Makes this node's card.
 * @param keys of the node
 * @param deployment chain and registry that the committee is for
 * @param purpose of the session
 * @returns what is passed on to the others
 */
export function memberCard(keys: NodeKeyRing, deployment: Deployment, purpose: Digest): MemberCard {
  const encryptionKey = memberPublicKey(keys.committeeSecret(deployment, purpose))
  const { chainId, nodeRegistry: registry } = deployment
  const sign = nodeSigner({ statementKey: keys.statementKey, chainId, registry })
  const { signature } = sign({
    type,
    body: bodyOf({ purpose, encryptionKey }),
    pool: registry,
    subject: subjectOf(0),
    nonce: '0',
  })
  return {
    format: 'sealpool/committee-member',
    version: 2,
    purpose,
    address: keys.statementAddress,
    encryptionKey,
    signature,
  }
}

/**
 * Reads a card of unknown origin.
 * @param json what `sealpool-node committee join` prints
 * @param place where it stands, for errors
 * @param expected where the card must count
 * @returns the card; its member has signed it for this purpose, chain and registry
 * @throws NodeError `COMMITTEE_INVALID`
 */
export function readMemberCard(
  json: unknown,
  place: string,
  expected: Deployment & { readonly purpose: Digest },
): MemberCard {
  const card = cardSchema.safeParse(json)
  if (!card.success) throw invalid(place, 'it is not what `sealpool-node committee join` prints')
  if (card.data.purpose !== expected.purpose)
    throw invalid(place, 'it was made for another purpose; join again')
  if (!isSigned(card.data, expected))
    throw invalid(
      place,
      'the member has not signed it for this chain and registry; let it join again, and take the file from itself',
    )
  return card.data
}

function isSigned(card: MemberCard, { chainId, nodeRegistry: registry }: Deployment): boolean {
  const { address: signer, signature } = card
  const statement = { type, version: 1, body: bodyOf(card) }
  const context = { chainId, registry, pool: registry, subject: subjectOf(0), nonce: '0', facts: [] }
  try {
    return verifyStatement({ statement, context, signer, signature }, { signer })
  } catch (cause) {
    if (cause instanceof CryptoError) return false
    throw cause
  }
}

const bodyOf = ({ purpose, encryptionKey }: Pick<MemberCard, 'purpose' | 'encryptionKey'>): JsonObject => ({
  purpose,
  encryptionKey,
})

function invalid(place: string, why: string): NodeError {
  return new NodeError('COMMITTEE_INVALID', place, why)
}
