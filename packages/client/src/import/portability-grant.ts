import type { Address, Hex } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { readAs } from '../node-api/messages.js'
import { address, answerSchema, list, type Reader, record, ShapeProblem, text } from '../node-api/shape.js'

/** What a person signed: that a grantee may read some scopes of the person's data until a moment. */
export interface PortabilityGrant {
  /** Its name in the registry: the server is told it. The grantor does not sign it. */
  readonly grantId: Hex
  /** Whose data it is, and who signed. */
  readonly grantorAddress: Address
  /** The grantee's number in the registry of grantees, 32 bytes. */
  readonly granteeId: Hex
  /** Scopes and wildcards, as they were signed. */
  readonly scopes: readonly string[]
  /** Counts up with each grant and each revocation between the two, from 1. */
  readonly grantVersion: bigint
  /** Unix seconds; 0: it does not end by itself. */
  readonly expiresAt: bigint
  /** 65 bytes of a plain key; of a contract wallet (ERC-1271) whatever it takes. */
  readonly signature: Hex
}

/** The contract for which grants are signed: the caller's anchor, never taken from a grant. */
export interface GrantRegistry {
  readonly chainId: number
  /** The contract of data-portability permissions there. */
  readonly permissions: Address
}

/** EIP-712 types of a grant, version 3 of the protocol. */
export const grantTypes = {
  GrantRegistration: [
    { name: 'grantorAddress', type: 'address' },
    { name: 'granteeId', type: 'bytes32' },
    { name: 'scopes', type: 'string[]' },
    { name: 'grantVersion', type: 'uint256' },
    { name: 'expiresAt', type: 'uint256' },
  ],
} as const

/**
 * The EIP-712 data that a grantor signs.
 *
 * @param args - `registry`, for which it is signed; `grant`, without the name and the signature that it gets
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function grantTypedData({
  registry,
  grant,
}: {
  readonly registry: GrantRegistry
  readonly grant: Omit<PortabilityGrant, 'grantId' | 'signature'>
}) {
  const { grantorAddress, granteeId, scopes, grantVersion, expiresAt } = grant
  return {
    domain: {
      name: 'Vana Data Portability',
      version: '1',
      chainId: registry.chainId,
      verifyingContract: registry.permissions,
    },
    types: grantTypes,
    primaryType: 'GrantRegistration',
    message: { grantorAddress, granteeId, scopes, grantVersion, expiresAt },
  } as const
}

/** Far more than a person reads before signing. */
const mostScopes = 256
const mostCharacters = 512

const bytes32 = /* @__PURE__ */ text<Hex>(/^0x[0-9a-fA-F]{64}$/, '32 bytes in hexadecimal')
/** A contract wallet's signature may be long, but not without end. */
const signature = /* @__PURE__ */ text<Hex>(/^0x(?:[0-9a-fA-F]{2}){1,8192}$/, 'a signature in hexadecimal')

/** A word of the EVM: decimal text on the wire, or a number that JSON has exactly. */
const uint256: Reader<bigint> = (value, place) => {
  const exact = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (exact || (typeof value === 'string' && /^(?:0|[1-9]\d{0,77})$/.test(value))) {
    const word = BigInt(value)
    if (word < 2n ** 256n) return word
  }
  throw new ShapeProblem(place, 'a whole number of at most 256 bits')
}

const scopeList: Reader<string[]> = (value, place) => {
  const scopes = list(text(/^[!-~]+$/, 'a scope'))(value, place)
  if (scopes.length === 0 || scopes.length > mostScopes)
    throw new ShapeProblem(place, `1 to ${mostScopes} scopes`)
  if (scopes.some(({ length }) => length > mostCharacters)) throw new ShapeProblem(place, 'shorter scopes')
  return scopes
}

const grantSchema = () =>
  answerSchema(
    record<PortabilityGrant>({
      grantId: bytes32,
      grantorAddress: address,
      granteeId: bytes32,
      scopes: scopeList,
      grantVersion: uint256,
      expiresAt: uint256,
      signature,
    }),
  )

/**
 * Reads a grant (version 3 of the protocol) from JSON. Nothing of it is believed: `verifyGrant` verifies it.
 *
 * @param json what `JSON.parse` gave: `grantId`, `grantorAddress`, `granteeId`, `scopes`, `grantVersion`, `expiresAt`, `signature`; numbers as
 *   decimal text
 * @returns the grant
 * @throws ClientError `GRANT_INVALID`, also for a grant file of version 2: it names an operation on files and no scope, and its signature covers
 *   an address alone
 */
export function parseGrant(json: unknown): PortabilityGrant {
  if (isFileOfVersion2(json))
    throw new ClientError(
      'GRANT_INVALID',
      'grant',
      'a grant file of version 2 lets a server run an operation and lets nobody read an export; ask for a grant with scopes (version 3)',
    )
  const read = readAs(grantSchema(), json)
  if (!read.ok)
    throw new ClientError(
      'GRANT_INVALID',
      `grant.${read.place}`,
      'the grant has another form; take it as the server or the registry gives it',
    )
  if (read.answer.grantVersion === 0n)
    throw new ClientError('GRANT_INVALID', 'grant.grantVersion', 'versions count from 1')
  return read.answer
}

function isFileOfVersion2(json: unknown): boolean {
  return (
    typeof json === 'object' &&
    json !== null &&
    'grantee' in json &&
    'operation' in json &&
    !('scopes' in json)
  )
}
