import { decodeBase64Url } from '../encoding/base64url.js'
import { requireList, requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import type { Kem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import type { Identity, Recipient } from '../recipient/recipient.js'
import { scopedIdentity, scopedRecipient } from '../recipient/scoped.js'
import { currentKeyEpoch, type KeyEpoch, type KeyEpochs, parseKeyEpochs } from './register.js'

/**
 * The recipient for new files of a pool: its current epoch's key.
 *
 * @param register - the pool's epochs
 * @param kems - KEMs beside X25519 that the register may name (`[xwingKem]`)
 * @returns the recipient; sealing to it throws `CONTEXT_MISMATCH` for another policy, pool or chain
 * @throws CryptoError `EPOCH_INVALID` when the current epoch's KEM was not given; `KEY_INVALID`
 */
export function currentRecipient(register: KeyEpochs, kems: readonly Kem[] = []): Recipient {
  return recipientOfEpoch(register, currentKeyEpoch(register).epoch, kems)
}

/**
 * The recipient of one epoch.
 *
 * @param register - the pool's epochs
 * @param number - of an epoch that is not retired
 * @param kems - KEMs beside X25519
 * @returns the recipient; sealing to it throws `CONTEXT_MISMATCH` for another policy, pool or chain
 * @throws CryptoError `EPOCH_RETIRED`, `EPOCH_INVALID` (no such epoch, or a KEM that was not given), `KEY_INVALID`
 */
export function recipientOfEpoch(register: KeyEpochs, number: number, kems: readonly Kem[] = []): Recipient {
  const { chainId, pool, epochs } = parseKeyEpochs(register)
  const epoch = epochs.find((each) => each.epoch === number)
  if (epoch === undefined) throw new CryptoError('EPOCH_INVALID', 'number', 'the register has no such epoch')
  if (epoch.state === 'retired') throw retired(epoch)
  const recipient = hpkeRecipient({ publicKey: decodeBase64Url(epoch.publicKey), kem: kemOf(epoch, kems) })
  // Not its number: files that are re-wrapped keep the epoch in which they were sealed.
  return scopedRecipient(recipient, { chainId, pool, policyDigest: epoch.policyDigest })
}

/**
 * The identities that open a pool's files: one for every epoch that is not retired. A file that only a retired epoch's
 * key could open is refused by name.
 *
 * @param options - `root`: the node's root, 32 secret bytes; `register`: the pool's epochs; `kems`: beside X25519
 * @returns identities, newest first
 * @throws CryptoError `EPOCH_INVALID` when the root does not derive a key that the register names; `KEY_INVALID`; from
 *   opening also `EPOCH_RETIRED`, and `CONTEXT_MISMATCH` for a file of another policy, pool or chain that was wrapped for
 *   one of these keys
 */
export function poolIdentities(options: {
  readonly root: Uint8Array
  readonly register: KeyEpochs
  readonly kems?: readonly Kem[] | undefined
}): readonly Identity[] {
  requireOptions(options)
  const { root, kems = [] } = options
  const { chainId, pool, epochs } = parseKeyEpochs(options.register)
  const open: Identity[] = []
  const closed: Identity[] = []
  for (const epoch of epochs) {
    if (epoch.state === 'retired') {
      closed.push(retiredIdentity(epoch))
      continue
    }
    const kem = kemOf(epoch, kems)
    const { policyDigest } = epoch
    const key = derivePoolKey({ root, chainId, pool, policyDigest, epoch: epoch.epoch, kem })
    if (key.keyId !== epoch.keyId) {
      const why = `the root does not derive the key of epoch ${epoch.epoch}: another root, or a false register`
      throw new CryptoError('EPOCH_INVALID', 'root', why)
    }
    open.push(
      scopedIdentity(hpkeIdentity({ privateKey: key.privateKey, kem }), { chainId, pool, policyDigest }),
    )
  }
  // Retired ones last: another epoch's key may still open the file.
  return [...open.reverse(), ...closed]
}

function retiredIdentity(epoch: KeyEpoch): Identity {
  return {
    type: 'hpke',
    keyId: epoch.keyId,
    async unwrap({ stanzas }) {
      if (stanzas.some((each) => each.type === 'hpke' && each['keyId'] === epoch.keyId)) throw retired(epoch)
      return undefined
    },
  }
}

function kemOf(epoch: KeyEpoch, kems: readonly Kem[]): Kem {
  const kem = [x25519Kem, ...requireList(kems, 'kems')].find(({ name }) => name === epoch.kem)
  if (kem === undefined) {
    const why = `epoch ${epoch.epoch} uses ${epoch.kem}: give xwingKem of @sealpool/crypto/post-quantum`
    throw new CryptoError('EPOCH_INVALID', 'kems', why)
  }
  return kem
}

function retired(epoch: KeyEpoch): CryptoError {
  return new CryptoError(
    'EPOCH_RETIRED',
    'epoch',
    `key epoch ${epoch.epoch} is retired; its files are closed`,
  )
}
