/**
 * The language of access conditions: plain JSON that says, of the state of a chain, who may use a pool's data.
 * @module
 */
import type { Address, Hex } from 'viem'
import { type CredentialCondition, readCredential } from './credential-condition.js'
import { fields, invalid, items, object, seconds } from './json-field.js'

/** What a condition asks of the chain, or of the consumer, by itself. */
export type AccessLeaf =
  /** The consumer is one of these wallets. */
  | { readonly wallets: readonly Address[] }
  /** The block's time is `from` or later, and earlier than `until`; unix seconds, one of the two at least. */
  | { readonly time: { readonly from?: number; readonly until?: number } }
  /** The consumer holds so many of a token, in its smallest unit. */
  | { readonly erc20: { readonly contract: Address; readonly minimum: string } }
  /** The consumer holds so many pieces of a collection (`minimum`), or this one (`id`). */
  | {
      readonly erc721:
        | { readonly contract: Address; readonly minimum: string }
        | { readonly contract: Address; readonly id: string }
    }
  /** The consumer holds so many of one kind of a collection. */
  | { readonly erc1155: { readonly contract: Address; readonly id: string; readonly minimum: string } }
  /** The consumer has a role of a contract, as OpenZeppelin's AccessControl keeps them (`hasRole`). */
  | { readonly accessControl: { readonly contract: Address; readonly role: Hex } }
  /**
   * An identity contract has a key for a purpose (`keyHasPurpose`): the consumer's address, padded to 32 bytes (`address`, as iExec's
   * groups) or hashed (`address-hash`, as the standard and ONCHAINID), or the digest of the job's code (`code`: a list of apps).
   */
  | {
      readonly erc734: {
        readonly contract: Address
        readonly purpose: string
        readonly key: 'address' | 'address-hash' | 'code'
      }
    }
  /** The code at an address, or the code of the consumer's own account, has this keccak-256. */
  | { readonly codeHash: { readonly contract: Address | 'consumer'; readonly hash: Hex } }
  /**
   * The consumer has presented such a verifiable credential to the node that judges. It never stands under `not`: whoever has it
   * would not show it.
   */
  | { readonly credential: CredentialCondition }

/** A condition: leaves, joined by `all`, `any` and `not`. */
export type AccessCondition =
  | { readonly all: readonly AccessCondition[] }
  | { readonly any: readonly AccessCondition[] }
  | { readonly not: AccessCondition }
  | AccessLeaf

/** The field `access` of a pool's policy, or of a restriction of it. */
export interface AccessRules {
  readonly version: 1
  /** Who may have jobs run on the pool's data and be given their results. */
  readonly use: AccessCondition
}

/** Most levels of `all`, `any` and `not` above a leaf. */
export const maximumAccessDepth = 8
/** Most parts of a condition, leaves and what joins them. */
export const maximumAccessParts = 64
/** Most leaves that ask the chain something. */
export const maximumAccessQuestions = 16
/** Most leaves that ask for a credential. */
export const maximumAccessCredentials = 4
const maximumWallets = 1_000

/**
 * Reads access rules of unknown origin.
 *
 * @param json - any value
 * @param place - what it is, for errors
 * @returns the rules: fresh objects, addresses and hashes in lower case
 * @throws {ContractsError} `ARGUMENT_INVALID` with the first place that is wrong; a field that this release does not know is wrong
 */
export function parseAccessRules(json: unknown, place = 'access'): AccessRules {
  const { version, use } = fields(json, place, ['version', 'use'])
  if (version !== 1) throw invalid(`${place}.version`, 'expected 1: use a newer release for newer rules')
  return { version, use: parseAccessCondition(use, `${place}.use`) }
}

/**
 * Reads one condition of unknown origin.
 *
 * @param json - any value
 * @param place - what it is, for errors
 * @returns the condition: fresh objects, addresses and hashes in lower case
 * @throws {ContractsError} `ARGUMENT_INVALID` with the first place that is wrong
 */
export function parseAccessCondition(json: unknown, place = 'condition'): AccessCondition {
  const counted = { parts: 0, questions: 0, credentials: 0 }
  return readCondition(json, { place, depth: 0, negated: false, counted })
}

interface Reading {
  readonly place: string
  readonly depth: number
  /** Whether a `not` stands above. */
  readonly negated: boolean
  readonly counted: { parts: number; questions: number; credentials: number }
}

function readCondition(json: unknown, { place, depth, negated, counted }: Reading): AccessCondition {
  if (depth > maximumAccessDepth) throw invalid(place, `nested deeper than ${maximumAccessDepth} levels`)
  counted.parts += 1
  if (counted.parts > maximumAccessParts) throw invalid(place, `more than ${maximumAccessParts} parts`)
  const [kind, value] = onlyField(json, place)
  const inside = (name: string) => ({ place: `${place}.${name}`, depth: depth + 1, negated, counted })
  const several = (name: string) =>
    items(value, `${place}.${name}`, maximumAccessParts).map((one, index) =>
      readCondition(one, inside(`${name}[${index}]`)),
    )
  if (kind === 'all') return { all: several('all') }
  if (kind === 'any') return { any: several('any') }
  if (kind === 'not') return { not: readCondition(value, { ...inside('not'), negated: true }) }
  const read = Object.hasOwn(leaves, kind) ? leaves[kind as keyof typeof leaves] : undefined
  if (read === undefined) {
    throw invalid(place, `expected one of all, any, not, ${Object.keys(leaves).join(', ')}`)
  }
  if (kind === 'credential') {
    if (negated) throw invalid(place, 'a credential stands under not: whoever has it would not show it')
    counted.credentials += 1
  } else if (kind !== 'wallets' && kind !== 'time') counted.questions += 1
  if (counted.questions > maximumAccessQuestions) {
    throw invalid(place, `more than ${maximumAccessQuestions} questions to the chain`)
  }
  if (counted.credentials > maximumAccessCredentials) {
    throw invalid(place, `more than ${maximumAccessCredentials} credentials`)
  }
  return read(value, `${place}.${kind}`)
}

const leaves = {
  wallets: (value: unknown, place: string): AccessLeaf => ({
    wallets: items(value, place, maximumWallets).map((one, index) => address(one, `${place}[${index}]`)),
  }),
  time(value: unknown, place: string): AccessLeaf {
    const { from, until } = fields(value, place, [], ['from', 'until'])
    if (from === undefined && until === undefined) throw invalid(place, 'expected from, until or both')
    const time = {
      ...(from === undefined ? {} : { from: seconds(from, `${place}.from`) }),
      ...(until === undefined ? {} : { until: seconds(until, `${place}.until`) }),
    }
    if (time.from !== undefined && time.until !== undefined && time.from >= time.until) {
      throw invalid(place, 'from must be before until')
    }
    return { time }
  },
  erc20(value: unknown, place: string): AccessLeaf {
    const { contract, minimum } = fields(value, place, ['contract', 'minimum'])
    return { erc20: { contract: address(contract, `${place}.contract`), minimum: least(minimum, place) } }
  },
  erc721(value: unknown, place: string): AccessLeaf {
    const { contract, minimum, id } = fields(value, place, ['contract'], ['minimum', 'id'])
    if ((minimum === undefined) === (id === undefined))
      throw invalid(place, 'expected either minimum or id, and not both')
    const at = address(contract, `${place}.contract`)
    return id === undefined
      ? { erc721: { contract: at, minimum: least(minimum, place) } }
      : { erc721: { contract: at, id: whole(id, `${place}.id`) } }
  },
  erc1155(value: unknown, place: string): AccessLeaf {
    const { contract, id, minimum } = fields(value, place, ['contract', 'id', 'minimum'])
    return {
      erc1155: {
        contract: address(contract, `${place}.contract`),
        id: whole(id, `${place}.id`),
        minimum: least(minimum, place),
      },
    }
  },
  accessControl(value: unknown, place: string): AccessLeaf {
    const { contract, role } = fields(value, place, ['contract', 'role'])
    return {
      accessControl: { contract: address(contract, `${place}.contract`), role: word(role, `${place}.role`) },
    }
  },
  erc734(value: unknown, place: string): AccessLeaf {
    const { contract, purpose, key } = fields(value, place, ['contract', 'purpose', 'key'])
    if (key !== 'address' && key !== 'address-hash' && key !== 'code')
      throw invalid(`${place}.key`, 'expected address, address-hash or code')
    return {
      erc734: {
        contract: address(contract, `${place}.contract`),
        purpose: whole(purpose, `${place}.purpose`),
        key,
      },
    }
  },
  codeHash(value: unknown, place: string): AccessLeaf {
    const { contract, hash } = fields(value, place, ['contract', 'hash'])
    return {
      codeHash: {
        contract: contract === 'consumer' ? contract : address(contract, `${place}.contract`),
        hash: word(hash, `${place}.hash`),
      },
    }
  },
  credential: (value: unknown, place: string): AccessLeaf => ({ credential: readCredential(value, place) }),
}

function onlyField(json: unknown, place: string): readonly [string, unknown] {
  const [only, ...more] = Object.entries(object(json, place))
  if (only === undefined || more.length > 0) throw invalid(place, 'expected an object with exactly one field')
  return only
}

function hexOf(json: unknown, bytes: number, place: string): Hex {
  if (typeof json !== 'string' || json.length !== 2 + 2 * bytes || !/^0x[0-9a-fA-F]+$/.test(json)) {
    throw invalid(place, `expected 0x and ${2 * bytes} hexadecimal digits`)
  }
  return json.toLowerCase() as Hex
}

function address(json: unknown, place: string): Address {
  return hexOf(json, 20, place)
}

function word(json: unknown, place: string): Hex {
  return hexOf(json, 32, place)
}

/** A number of 256 bits as decimal text. */
function whole(json: unknown, place: string): string {
  const text = typeof json === 'string' && /^(?:0|[1-9][0-9]{0,77})$/.test(json) ? json : undefined
  if (text === undefined || BigInt(text) >> 256n > 0n) {
    throw invalid(place, 'expected a whole number below 2^256 as decimal text')
  }
  return text
}

function least(json: unknown, place: string): string {
  const text = whole(json, `${place}.minimum`)
  if (text === '0') throw invalid(`${place}.minimum`, 'everybody holds none: expected 1 or more')
  return text
}
