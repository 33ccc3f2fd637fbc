import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import type { Identity, Recipient } from '../recipient/recipient.js'
import { scopedRecipient } from '../recipient/scoped.js'
import {
  contextOf,
  labelOf,
  thresholdIdentity,
  thresholdRecipient,
} from '../recipient/threshold-recipient.js'
import { requireContext, type SealContext } from '../sealed-file/context.js'
import { bindingOf } from '../sealed-file/file-key.js'
import { parseHeader } from '../sealed-file/header.js'
import { envelopeOverhead, sealEnvelope } from './envelope.js'
import { combinePartialDecryptions } from './partial-decryption.js'
import { parseThresholdKey, type ThresholdKey } from './session.js'

const scheme = 'tdh2-secp256k1/1'
const fileKeyLength = 32

/**
 * A recipient of sealed files that is a committee: the file key goes into a TDH2 envelope whose label holds the whole
 * context of the file (chain, pool, policy digest, epoch, commitment).
 *
 * @param options - `key`: the committee's, of before or after a resharing; conclude it yourself from the published
 *   transcript, or compare it with a digest on chain
 * @returns the recipient; sealing to it throws `CONTEXT_MISMATCH` for another pool or chain than the committee's
 * @throws CryptoError `SESSION_INVALID` for a malformed key
 */
export function committeeRecipient(options: { readonly key: ThresholdKey }): Recipient {
  requireOptions(options)
  const key = parseThresholdKey(options.key)
  const { publicKey } = key
  const recipient = thresholdRecipient({
    scheme,
    keyId: keyIdOf(publicKey),
    envelopeLength: envelopeOverhead + fileKeyLength,
    wrap: ({ fileKey, context, random }) =>
      sealEnvelope({ publicKey, label: context, plaintext: fileKey, random }),
  })
  return scopedRecipient(recipient, scopeOf(key))
}

/** What a committee is asked for: its members' parts for one envelope under one label. */
export type CollectPartialDecryptions = (request: {
  readonly envelope: Uint8Array
  readonly label: Uint8Array
}) => Promise<readonly unknown[]> | readonly unknown[]

/**
 * The identity that opens what was sealed to {@link committeeRecipient}: `collect` asks the members, each of which
 * judges envelope and label and answers with `decryptPartially`; wrong parts do no harm as long as enough are right.
 *
 * @param options - the committee's `key`; `collect`: see {@link CollectPartialDecryptions}
 * @returns the identity
 * @throws CryptoError `SESSION_INVALID` for a malformed key, `OPTION_INVALID` without `collect`. When opening: `CONTEXT_MISMATCH`, before any member is asked,
 *   for a file of another pool or chain that was wrapped for this key; `WRAP_REFUSED` for an envelope that was
 *   altered or moved from another file, `SHARES_MISSING` when too few members answered rightly
 */
export function committeeIdentity(options: {
  readonly key: ThresholdKey
  readonly collect: CollectPartialDecryptions
}): Identity {
  requireOptions(options)
  const key = parseThresholdKey(options.key)
  const { collect } = options
  if (typeof collect !== 'function') {
    throw new CryptoError('OPTION_INVALID', 'collect', 'give a function that asks the members')
  }
  return thresholdIdentity({
    scheme,
    keyId: keyIdOf(key.publicKey),
    async unwrap({ envelope, context: label, file }) {
      requireContext(file, scopeOf(key))
      const partials = await collect({ envelope, label })
      try {
        return combinePartialDecryptions({ key, envelope, label, partials }).plaintext
      } catch (error) {
        if (error instanceof CryptoError && error.code === 'ENVELOPE_REFUSED') return undefined
        throw error
      }
    },
  })
}

/**
 * The label that an envelope in a file's header must bear. A member that is asked for a part is shown the header, judges its
 * context (pool, policy, epoch, commitment) against what was approved, and answers under this label only: so nobody gets a
 * part for a file under another policy than the one that the member has seen.
 *
 * @param options - `header`: the file, or its header; `key`: the committee's
 * @returns the `label`, and the `context` to judge
 * @throws CryptoError `CONTEXT_MISMATCH` for a file of another pool or chain; `SESSION_INVALID` for a malformed key; as
 *   `parseHeader`
 */
export function committeeLabel(options: { readonly header: Uint8Array; readonly key: ThresholdKey }): {
  readonly label: Uint8Array
  readonly context: SealContext
} {
  requireOptions(options)
  const key = parseThresholdKey(options.key)
  const header = parseHeader(options.header)
  requireContext(header.context, scopeOf(key))
  const label = labelOf({ scheme, keyId: keyIdOf(key.publicKey) })
  return { label: contextOf(bindingOf(header), label), context: header.context }
}

function scopeOf({ chainId, pool }: ThresholdKey): Pick<SealContext, 'chainId' | 'pool'> {
  return { chainId, pool }
}

function keyIdOf(publicKey: Hex): string {
  return digestOf({ scheme, publicKey })
}
