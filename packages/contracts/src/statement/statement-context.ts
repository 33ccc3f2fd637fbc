import { type Address, concatHex, type Hex, keccak256, pad, toHex, zeroHash } from 'viem'
import type { Deployment } from '../deploy/deployment.js'

/** One fact that a contract relies on: one ABI word. Same shape as a fact of `@sealpool/crypto`. */
export interface StatementFact {
  readonly type: 'uint256' | 'address' | 'bytes32' | 'bool'
  /** Decimal string, hex string, or boolean. */
  readonly value: string | boolean
}

/** What a node statement is bound to. Same shape as the statement context of `@sealpool/crypto`. */
export interface NodeStatementContext {
  readonly chainId: number
  readonly registry: Address
  readonly pool: Address
  readonly subject: Hex
  /** Decimal. */
  readonly nonce: string
  readonly facts: StatementFact[]
}

/** What binds any statement: where it is read, and that it counts once. */
export interface Bound {
  readonly deployment: Pick<Deployment, 'chainId' | 'nodeRegistry'>
  readonly nonce: bigint
}

/**
 * keccak256 of the facts' ABI words; zero when there are none.
 *
 * @param facts - the facts in the contract's order
 * @returns the hash, 32 bytes: the field `facts` of a statement
 */
export function factsHash(facts: readonly StatementFact[]): Hex {
  if (facts.length === 0) return zeroHash
  return keccak256(
    concatHex(
      facts.map(({ type, value }) => {
        if (typeof value === 'boolean') return word(value ? 1n : 0n)
        return type === 'uint256' ? word(BigInt(value)) : pad(value as Hex, { size: 32 })
      }),
    ),
  )
}

/** A statement bound to chain, registry and pool. */
export function context(
  bound: Bound,
  pool: Address,
  subject: Hex,
  facts: StatementFact[],
): NodeStatementContext {
  return {
    chainId: bound.deployment.chainId,
    registry: bound.deployment.nodeRegistry,
    pool,
    subject,
    nonce: bound.nonce.toString(),
    facts,
  }
}

/** A number as an ABI word. */
export function word(value: bigint): Hex {
  return toHex(value, { size: 32 })
}

/** A number as a fact. */
export function uint(value: bigint): StatementFact {
  return { type: 'uint256', value: value.toString() }
}

/** Thirty-two bytes as a fact. */
export function bytes32(value: Hex): StatementFact {
  return { type: 'bytes32', value }
}
