import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, digestToHex } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import type { Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import {
  parseSignedStatement,
  type SignedStatement,
  type StatementContext,
  signStatement,
  statementTypedDataHash,
  verifyStatement,
} from '../statement/statement.js'
import { currentKeyEpoch, type KeyEpochs, parseKeyEpochs } from './register.js'

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
 * `publishKey`: number, policy and key digest of the current epoch.
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
  const register = parseKeyEpochs(options.register)
  return signStatement({
    statement: { ...kind, body: bodyOf(register) },
    context: contextOf(register, options.registry),
    privateKey: options.privateKey,
  })
}

/**
 * Reads a signed register of unknown origin. That the signer is a node of the pool, and the register not an older one, is
 * for the chain to say: see {@link requireKeyEpochsOnChain}.
 *
 * @param value - JSON
 * @param expect - `chainId`, `registry` and `pool` for which it must be, and the `signer`
 * @returns the register
 * @throws CryptoError `EPOCH_INVALID` for anything but such a statement, signed by `signer` for this pool;
 *   `ADDRESS_INVALID` for an expectation that is no address
 */
export function readKeyEpochs(
  value: unknown,
  expect: {
    readonly chainId: number
    readonly registry: Address
    readonly pool: Address
    readonly signer: Address
  },
): KeyEpochs {
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
  return register
}

/**
 * Pins a register to what the pool's contract says, so that nobody is made to seal to a key that no node published.
 *
 * @param register - the pool's epochs
 * @param published - the contract's current epoch, or all that it ever published, in any order
 * @throws CryptoError `EPOCH_INVALID` when the current epoch is not the newest published one, or an epoch that is given
 *   has another policy or another key on the chain
 */
export function requireKeyEpochsOnChain(register: KeyEpochs, published: readonly ChainKeyEpoch[]): void {
  const { epochs } = parseKeyEpochs(register)
  const current = currentKeyEpoch(register)
  if (!Array.isArray(published) || published.length === 0) {
    throw invalid('published', 'the chain has no key epoch of this pool')
  }
  const numbers = published.map((each: Partial<ChainKeyEpoch> | null | undefined) => each?.epoch)
  if (!numbers.every((number) => typeof number === 'number') || Math.max(...numbers) !== current.epoch) {
    throw invalid(
      '$.epochs',
      'the newest epoch on the chain is not the current one: the register is old or false',
    )
  }
  for (const each of published) {
    const own = epochs.find(({ epoch }) => epoch === each.epoch)
    if (own === undefined) continue
    const same =
      wordOf(each.policyDigest) === digestToHex(own.policyDigest) &&
      wordOf(each.keyDigest) === digestToHex(own.keyId)
    if (!same) throw invalid('$.epochs', `epoch ${own.epoch} has another policy or key on the chain`)
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
    nonce: String(epoch),
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
