/**
 * What a leaf of a condition asks the chain, and what it takes for an answer. The contracts that are asked are the pool's choice and
 * may be hostile: what is not exactly an answer of the standard is no answer.
 * @module
 */
import { type Address, encodeFunctionData, type Hex, keccak256, pad, parseAbi } from 'viem'
import type { AccessLeaf } from './access-condition.js'
import type { AccessVerdict } from './access-verdict.js'
import type { CredentialCondition } from './credential-condition.js'

/** For whom a condition is judged. */
export interface AccessSubject {
  /** The consumer. */
  readonly wallet: Address
  /** SHA-256 of the job's code; null when it has none of its own. */
  readonly code: Hex | null
}

/** One question to the chain. */
export interface AccessQuestion {
  readonly target: Address
  /** The call; `0x` when only the code counts. */
  readonly data: Hex
}

/** What was answered, as it came. */
export interface AccessAnswer {
  /** Whether the call came to an end by itself. */
  readonly ended: boolean
  /** Bytes of the answer. */
  readonly size: bigint
  /** The first 32 of them. */
  readonly word: Hex
  /** Hash of the code that was asked. */
  readonly code: Hex
}

/** Whether the consumer has presented a credential that meets the condition, and the presentation counts still. */
export type IsPresented = (asked: CredentialCondition) => boolean

const abi = /* @__PURE__ */ parseAbi([
  'function balanceOf(address) view returns (uint256)',
  'function balanceOf(address, uint256) view returns (uint256)',
  'function ownerOf(uint256) view returns (address)',
  'function hasRole(bytes32, address) view returns (bool)',
  'function keyHasPurpose(bytes32, uint256) view returns (bool)',
])

/** @returns what a leaf asks the chain; null when nothing, or nothing can be asked */
export function questionOf(leaf: AccessLeaf, asker: AccessSubject): AccessQuestion | null {
  const subject = { ...asker, wallet: lower(asker.wallet) }
  const { wallet } = subject
  const ask = (target: Address, call: Parameters<typeof encodeFunctionData<typeof abi>>[0]) => ({
    target,
    data: encodeFunctionData(call),
  })
  if ('erc20' in leaf) return ask(leaf.erc20.contract, { abi, functionName: 'balanceOf', args: [wallet] })
  if ('erc721' in leaf) {
    return 'id' in leaf.erc721
      ? ask(leaf.erc721.contract, { abi, functionName: 'ownerOf', args: [BigInt(leaf.erc721.id)] })
      : ask(leaf.erc721.contract, { abi, functionName: 'balanceOf', args: [wallet] })
  }
  if ('erc1155' in leaf) {
    const args = [wallet, BigInt(leaf.erc1155.id)] as const
    return ask(leaf.erc1155.contract, { abi, functionName: 'balanceOf', args })
  }
  if ('accessControl' in leaf) {
    const { contract, role } = leaf.accessControl
    return ask(contract, { abi, functionName: 'hasRole', args: [role, wallet] })
  }
  if ('erc734' in leaf) {
    const { contract, purpose, key } = leaf.erc734
    const bytes = keyOf(key, subject)
    if (bytes === null) return null
    return ask(contract, { abi, functionName: 'keyHasPurpose', args: [bytes, BigInt(purpose)] })
  }
  if ('codeHash' in leaf) {
    const { contract } = leaf.codeHash
    return { target: contract === 'consumer' ? wallet : contract, data: '0x' }
  }
  return null
}

function keyOf(key: 'address' | 'address-hash' | 'code', { wallet, code }: AccessSubject): Hex | null {
  if (key === 'code') return code
  return key === 'address' ? pad(wallet) : keccak256(pad(wallet))
}

/**
 * @param leaf - parsed
 * @param known - for whom, the block's time in unix seconds, what was answered (null: nothing was asked), and which credentials were
 * presented
 * @returns its verdict
 */
export function leafVerdict(
  leaf: AccessLeaf,
  known: AccessSubject & {
    readonly timestamp: number
    readonly answer: AccessAnswer | null
    readonly isPresented: IsPresented
  },
): AccessVerdict {
  const { wallet, timestamp, answer } = known
  // Who shows nothing may have it all the same: nothing can be concluded from that.
  if ('credential' in leaf) return known.isPresented(leaf.credential) ? 'yes' : 'unknown'
  if ('wallets' in leaf) return verdict(leaf.wallets.includes(lower(wallet)))
  if ('time' in leaf) {
    const { from = 0, until = Number.POSITIVE_INFINITY } = leaf.time
    return verdict(from <= timestamp && timestamp < until)
  }
  if (answer === null) return 'unknown'
  if ('codeHash' in leaf) return verdict(answer.code.toLowerCase() === leaf.codeHash.hash)
  // Also where no contract is a call ends well: plain accounts answer nothing, and those of the chain itself whatever they compute.
  if (!answer.ended || answer.size !== 32n || noCode.has(answer.code.toLowerCase())) return 'unknown'
  const word = BigInt(answer.word)
  if ('accessControl' in leaf || 'erc734' in leaf) return word > 1n ? 'unknown' : verdict(word === 1n)
  if ('erc721' in leaf && 'id' in leaf.erc721)
    return word >> 160n > 0n ? 'unknown' : verdict(word === BigInt(wallet))
  return verdict(word >= BigInt(minimumOf(leaf)))
}

function minimumOf(
  leaf: Extract<AccessLeaf, { erc20: unknown } | { erc721: unknown } | { erc1155: unknown }>,
): string {
  if ('erc20' in leaf) return leaf.erc20.minimum
  if ('erc1155' in leaf) return leaf.erc1155.minimum
  if ('minimum' in leaf.erc721) return leaf.erc721.minimum
  throw new RangeError('a leaf that names a piece has no minimum')
}

/** Hash of an account's code where there is none: no account, and one without code. */
const noCode: ReadonlySet<string> = new Set([`0x${'0'.repeat(64)}`, keccak256('0x')])

function verdict(holds: boolean): AccessVerdict {
  return holds ? 'yes' : 'no'
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
