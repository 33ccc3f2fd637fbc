import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, digestToHex } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import type { Hex } from '../encoding/hex.js'
import { isPlain, requireKnownNames, requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import {
  parseSignedStatement,
  type SignedStatement,
  type StatementContext,
  signStatement,
  statementTypedDataHash,
  verifyStatement,
} from '../statement/statement.js'
import { currentKeyEpoch, type KeyEpochs, keyEpochsRevision, parseKeyEpochs } from './register.js'

const kind = { type: 'sealpool/key-epochs', version: 1 } as const

/** One key epoch as the pool's contract holds it (`Pool.keyEpoch()`) or has told it (`KeyEpochPublished`). */
export interface ChainKeyEpoch {
  readonly epoch: number
  /** `bytes32`, or the digest. */
  readonly policyDigest: Hex | Digest
  /** SHA-256 of the public key: `bytes32`, or the digest. */
  readonly keyDigest: Hex | Digest
}

/**
 * Signs a pool's register of key epochs, so that it may come from anywhere. The facts are those of the contract's
 * `publishKey`: number, policy and key digest of the current epoch; the nonce is the register's revision
 * (docs/formats/key-epochs.md).
 *
 * @param options - `register`; `registry`: the NodeRegistry of the chain; `privateKey`: 32 bytes, the node's
 * @returns the signed statement, plain JSON data
 * @throws CryptoError `EPOCH_INVALID`, `ADDRESS_INVALID`, `KEY_INVALID`
 */
export function signKeyEpochs(options: {
  readonly register: KeyEpochs
  readonly registry: Address
  readonly privateKey: Uint8Array
}): SignedStatement {
  requireOptions(options)
  const register = parseKeyEpochs(options.register)
  return signStatement({
    statement: { ...kind, body: bodyOf(register) },
    context: contextOf(register, options.registry),
    privateKey: options.privateKey,
  })
}

/**
 * Reads a signed register of unknown origin. That the signer is a node of the pool, and that no newer epoch was published, is
 * for the chain to say ({@link requireKeyEpochsOnChain}). The chain holds no retirements: an older register under the same
 * current epoch, in which a retired one is still readable, is told by `notBefore` alone.
 *
 * @param value - JSON
 * @param expect - `chainId`, `registry` and `pool` for which it must be, and the `signer`; `notBefore`: the largest
 *   {@link keyEpochsRevision} that the reader has seen and keeps durably; without it a retirement can be undone by whoever
 *   serves the register
 * @returns the register
 * @throws CryptoError `EPOCH_INVALID` for anything but such a statement, signed by `signer` for this pool, and for a
 *   revision below `notBefore`; `ADDRESS_INVALID` for an expectation that is no address; `OPTION_INVALID` for a `notBefore`
 *   that is no whole number, and for an expectation that is undefined or of another name
 */
export function readKeyEpochs(
  value: unknown,
  expect: {
    readonly chainId: number
    readonly registry: Address
    readonly pool: Address
    readonly signer: Address
    readonly notBefore?: number
  },
): KeyEpochs {
  const wanted = ['chainId', 'registry', 'pool', 'signer', 'notBefore']
  requireKnownNames(expect, wanted, wanted, 'expect')
  const { notBefore = 0 } = expect
  if (!isWhole(notBefore, 0)) {
    throw new CryptoError('OPTION_INVALID', 'expect.notBefore', 'a revision is a whole number')
  }
  let signed: SignedStatement
  try {
    signed = parseSignedStatement(value as JsonValue)
  } catch (error) {
    throw invalid('$', 'not a signed statement', error)
  }
  const { statement, context } = signed
  if (statement.type !== kind.type || statement.version !== kind.version) {
    throw invalid('$.statement', `expected ${kind.type}, version ${kind.version}`)
  }
  const register = parseKeyEpochs(statement.body)
  const pool = parseAddress(expect.pool, 'expect.pool')
  if (register.chainId !== expect.chainId || register.pool !== pool) {
    throw invalid('$.statement.body', 'the register of another pool or chain')
  }
  const expected = contextOf(register, parseAddress(expect.registry, 'expect.registry'))
  // By the hash that is signed: hex may come in either case.
  if (statementTypedDataHash(statement, context) !== statementTypedDataHash(statement, expected)) {
    throw invalid('$.context', 'not the context of this register: another registry, subject, nonce or facts')
  }
  // Read here, for `verifyStatement` without a signer takes any.
  if (!verifyStatement(signed, { signer: parseAddress(expect.signer, 'expect.signer') })) {
    throw invalid('$.signature', 'not signed by the expected signer')
  }
  if (keyEpochsRevision(register) < notBefore) {
    throw invalid('$.statement.body', 'an older register than the newest that was seen: ask for a newer one')
  }
  return register
}

/**
 * Pins a register to what the pool's contract says, so that nobody is made to seal to a key that no node published. The
 * current epoch alone pins `currentRecipient`; for older epochs (`recipientOfEpoch`) give all, and say so.
 *
 * @param register - the pool's epochs
 * @param published - the contract's current epoch, or all that it ever published, in any order
 * @param options - `complete`: all that were ever published are given, so that no other epoch may be in the register
 * @throws CryptoError `EPOCH_INVALID` when the current epoch is not the newest published one, when an epoch that is given
 *   has another policy or another key on the chain, and for an epoch of the register that the chain never published, as far as
 *   what is given shows it: between the smallest and the largest number, and with `complete` everywhere
 */
export function requireKeyEpochsOnChain(
  register: KeyEpochs,
  published: readonly ChainKeyEpoch[],
  options: { readonly complete?: boolean } = {},
): void {
  requireKnownNames(options, ['complete'], ['complete'])
  if (options.complete !== undefined && typeof options.complete !== 'boolean') {
    throw new CryptoError('OPTION_INVALID', 'options.complete', 'expected true or false')
  }
  const { epochs } = parseKeyEpochs(register)
  const current = currentKeyEpoch(register)
  if (!Array.isArray(published) || published.length === 0) {
    throw invalid('published', 'the chain has no key epoch of this pool')
  }
  const owned = new Map(epochs.map((each) => [each.epoch, each]))
  const given = new Set<number>()
  let [smallest, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const each of published) {
    const number: unknown = isPlain(each) ? each.epoch : undefined
    if (typeof number !== 'number') throw invalid('published', 'the number of an epoch is a number')
    given.add(number)
    smallest = Math.min(smallest, number)
    largest = Math.max(largest, number)
    const own = owned.get(number)
    if (own === undefined) continue
    const same =
      wordOf(each.policyDigest) === digestToHex(own.policyDigest) &&
      wordOf(each.keyDigest) === digestToHex(own.keyId)
    if (!same) throw invalid('$.epochs', `epoch ${number} has another policy or key on the chain`)
  }
  if (largest !== current.epoch) {
    const why = 'the newest epoch on the chain is not the current one: the register is old or false'
    throw invalid('$.epochs', why)
  }
  for (const { epoch } of epochs) {
    const known = options.complete === true || epoch > smallest
    if (known && !given.has(epoch)) throw invalid('$.epochs', `epoch ${epoch} was never published`)
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase().replace(/^sha256:/, '0x') : ''
}

function bodyOf(register: KeyEpochs): JsonObject {
  return register as unknown as JsonObject
}

function contextOf(register: KeyEpochs, registry: Address): StatementContext {
  const { epoch, policyDigest, keyId } = currentKeyEpoch(register)
  return {
    chainId: register.chainId,
    registry: parseAddress(registry, 'registry'),
    pool: register.pool,
    subject: digestToHex(digestOf(bodyOf(register))),
    nonce: String(keyEpochsRevision(register)),
    facts: [
      { type: 'uint256', value: String(epoch) },
      { type: 'bytes32', value: digestToHex(policyDigest) },
      { type: 'bytes32', value: digestToHex(keyId) },
    ],
  }
}

function invalid(place: string, why: string, cause?: unknown): CryptoError {
  return new CryptoError('EPOCH_INVALID', place, why, { cause })
}
