/**
 * The asker's own word in a hand-over. Evidence alone says what a node is, and whoever asks a running node for it has it too: that the
 * node itself asks for the keys, now, only its statement key can say.
 * @module
 */
import {
  type Address,
  CryptoError,
  parseSignedStatement,
  type SignedStatement,
  verifyStatement,
} from '@sealpool/crypto'
import { nodeSigner, subjectOf } from '../key/node-signer.js'

const type = 'sealpool/root-asked'

/**
 * @param options the asker's statement key; chain and registry that both nodes serve; `nonce`: the old node's, as text
 * @returns the statement by which it asks
 */
export function signAsking(options: {
  readonly statementKey: Uint8Array
  readonly chainId: number
  readonly registry: Address
  readonly nonce: string
}): SignedStatement {
  const { nonce, registry } = options
  return nodeSigner(options)({ type, body: { nonce }, pool: registry, subject: subjectOf(0), nonce: '0' })
}

/**
 * @param statement JSON of unknown origin
 * @param expected address of the asker's statement key, chain and nonce
 * @returns whether the node with that key asks, with that nonce, on that chain and registry
 */
export function isAsking(
  statement: unknown,
  expected: {
    readonly signer: Address
    readonly chainId: number
    readonly registry: Address
    readonly nonce: string
  },
): boolean {
  try {
    const signed = parseSignedStatement(statement)
    return (
      signed.statement.type === type &&
      signed.statement.body['nonce'] === expected.nonce &&
      signed.context.chainId === expected.chainId &&
      signed.context.registry === expected.registry &&
      verifyStatement(signed, { signer: expected.signer })
    )
  } catch (cause) {
    if (cause instanceof CryptoError) return false
    throw cause
  }
}
