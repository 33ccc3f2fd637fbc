import { requireContext, type SealContext } from '../sealed-file/context.js'
import type { Identity, Recipient } from './recipient.js'

/**
 * A recipient that wraps for its own pool or policy only.
 *
 * @param recipient - any
 * @param scope - the fields of a file's context that must agree
 * @returns the same, which shows its scope; wrapping throws `CONTEXT_MISMATCH` for another context
 */
export function scopedRecipient(recipient: Recipient, scope: Partial<SealContext>): Recipient {
  return {
    ...recipient,
    scope,
    async wrap(request) {
      requireContext(request.context, scope)
      return recipient.wrap(request)
    },
  }
}

/**
 * An identity that opens files of its own pool or policy only, whoever wrapped others for its key.
 *
 * @param identity - any
 * @param scope - the fields of a file's context that must agree
 * @returns the same; unwrapping throws `CONTEXT_MISMATCH` for another context
 */
export function scopedIdentity(identity: Identity, scope: Partial<SealContext>): Identity {
  return {
    ...identity,
    async unwrap(request) {
      const fileKey = await identity.unwrap(request)
      if (fileKey !== undefined) requireContext(request.context, scope)
      return fileKey
    },
  }
}
