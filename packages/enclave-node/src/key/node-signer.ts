import {
  type Address,
  type Fact,
  type Hex,
  type JsonObject,
  type SignedStatement,
  signStatement,
} from '@sealpool/crypto'
import { keysMoved } from '../migration/moved-keys.js'

/** What the node says, about what. */
export interface NodeStatement {
  /** Kind without version, for example `sealpool/receipt`; all kinds of this release have version 1. */
  readonly type: string
  readonly body: JsonObject
  readonly pool: Address
  /** 32 bytes; see {@link subjectOf} for numbers. */
  readonly subject: Hex
  /** Decimal; a contract takes a statement with the same content once for each nonce. */
  readonly nonce: string
  /** Words that a contract checks; none when no contract reads the statement. */
  readonly facts?: readonly Fact[]
}

/** Signs as this node; the same input always gives the same signature, so a statement can be made again after a stop. */
export interface NodeSigner {
  (statement: NodeStatement): SignedStatement
  /** Chain and registry that every statement is bound to, in the form that the contracts' context builders take. */
  readonly deployment: { readonly chainId: number; readonly nodeRegistry: Address }
}

/**
 * @param options the key of the key set, and the chain and NodeRegistry that statements are bound to
 * @returns the signer; it throws NodeError `KEYS_MOVED` once the keys have moved
 */
export function nodeSigner(options: {
  readonly statementKey: Uint8Array
  readonly chainId: number
  readonly registry: Address
  /** True once the keys are with another node, which alone signs from then on. */
  readonly moved?: () => boolean
}): NodeSigner {
  const { chainId, registry, statementKey } = options
  const sign = ({ type, body, pool, subject, nonce, facts = [] }: NodeStatement): SignedStatement => {
    if (options.moved?.() === true) throw keysMoved()
    return signStatement({
      statement: { type, version: 1, body },
      context: { chainId, registry, pool, subject, nonce, facts },
      privateKey: statementKey,
    })
  }
  return Object.assign(sign, { deployment: { chainId, nodeRegistry: registry } })
}

/**
 * A whole number as a statement's subject.
 * @param id decimal text or number, not negative, below 2^256
 * @returns 32 bytes, big-endian
 */
export function subjectOf(id: string | number | bigint): Hex {
  return `0x${BigInt(id).toString(16).padStart(64, '0')}`
}
