/**
 * What came of a committee's session, as public JSON: whoever has it computes the committee's key, and a member its own share.
 * @module
 */
import { CryptoError } from '@sealpool/crypto'
import {
  concludeSession,
  openShare,
  parseThresholdSession,
  type SessionOutcome,
  type ThresholdKey,
  type ThresholdShare,
} from '@sealpool/crypto/threshold'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'

const messages = z.array(z.json()).max(10_000)

const committeeFileSchema = z.strictObject({
  format: z.literal('sealpool/node-committee'),
  version: z.literal(1),
  session: z.json(),
  transcript: z.strictObject({ commitments: messages, deals: messages, complaints: messages }),
})

/** A session with all of its public messages. */
export type CommitteeFile = z.output<typeof committeeFileSchema>

/**
 * Reads a committee and judges its session anew.
 * @param json of unknown origin
 * @param place where it stands, for errors
 * @returns the committee's key, and who did wrong when it was made
 * @throws NodeError `COMMITTEE_INVALID`
 */
export function readCommittee(
  json: unknown,
  place: string,
): { readonly file: CommitteeFile; readonly key: ThresholdKey; readonly outcome: SessionOutcome } {
  const read = committeeFileSchema.safeParse(json)
  if (!read.success) throw invalid(place, 'it is not what `sealpool-node committee conclude` writes')
  try {
    const outcome = concludeSession(parseThresholdSession(read.data.session), read.data.transcript)
    if (outcome.key === null)
      throw invalid(
        place,
        `no key came of the session: ${outcome.faults.map(({ address, fault }) => `${address} ${fault}`).join(', ')}; begin anew under another purpose`,
      )
    return { file: read.data, key: outcome.key, outcome }
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw invalid(place, `its session cannot be judged (${cause.code} at ${cause.place})`, cause)
  }
}

/**
 * Opens a member's share. It is nowhere stored: it follows from the member's own root and the public messages.
 * @param keys of the member
 * @param deployment on which the session was
 * @throws NodeError `COMMITTEE_INVALID` when the node is no member, or its share was dealt wrongly
 */
export function shareOf(
  file: CommitteeFile,
  keys: NodeKeyRing,
  deployment: Parameters<NodeKeyRing['committeeSecret']>[0],
  place: string,
): ThresholdShare {
  try {
    const session = parseThresholdSession(file.session)
    return openShare({
      session,
      transcript: file.transcript,
      encryptionKey: keys.committeeSecret(deployment, session.purpose),
    })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw invalid(place, `this node has no share of it (${cause.code})`, cause)
  }
}

function invalid(place: string, why: string, cause?: unknown): NodeError {
  return new NodeError('COMMITTEE_INVALID', place, why, { cause })
}
