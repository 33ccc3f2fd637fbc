/**
 * Checks what a sign-in says (EIP-4361), before anybody looks at its signature.
 * @module
 */
import { type AccessRole, accessRoles, keySetResource, roleResource } from '@sealpool/client/access'
import type { Address, Digest } from '@sealpool/crypto'
import { createSiweMessage, parseSiweMessage } from 'viem/siwe'

/** What the node expects. */
export interface ExpectedSignIn {
  readonly domain: string
  readonly uri: string
  readonly chainId: number
  readonly keySet: Digest
  /** Unix seconds. */
  readonly now: number
}

/** What a message says that is as it should be. */
export interface StatedSignIn {
  /** Lower case. */
  readonly address: Address
  readonly roles: readonly AccessRole[]
  readonly nonce: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** Why a message is refused. */
export type SignInRefusal =
  | 'SIGN_IN_MESSAGE'
  | 'SIGN_IN_DOMAIN'
  | 'SIGN_IN_CHAIN'
  | 'SIGN_IN_KEY_SET'
  | 'SIGN_IN_EXPIRED'
  | 'SIGN_IN_NOT_YET'
  | 'SIGN_IN_ROLE'

const maximumMessageLength = 3_000
/** Seconds that a wallet's clock may be ahead of the node's. */
const clockToleranceSeconds = 60
/** Seconds that may pass between making a message and handing it in. */
const maximumMessageAgeSeconds = 600

/**
 * @param message text of unknown origin
 * @returns what it says, or why it is refused
 */
export function checkSignIn(message: string, expected: ExpectedSignIn): StatedSignIn | SignInRefusal {
  if (message.length > maximumMessageLength) return 'SIGN_IN_MESSAGE'
  const said = readExactly(message)
  if (said === undefined) return 'SIGN_IN_MESSAGE'
  const { address, domain, uri, chainId, nonce, issuedAt, expirationTime, notBefore, resources = [] } = said
  if (domain !== expected.domain || uri !== expected.uri || said.scheme !== undefined) return 'SIGN_IN_DOMAIN'
  if (chainId !== expected.chainId) return 'SIGN_IN_CHAIN'
  const keySets = resources.filter((one) => one.startsWith(keySetResource))
  if (keySets.length !== 1 || keySets[0] !== keySetResource + expected.keySet) return 'SIGN_IN_KEY_SET'
  const issued = issuedAt.getTime() / 1000
  const expiresAt = Math.floor(expirationTime.getTime() / 1000)
  if (expiresAt <= expected.now || issued < expected.now - maximumMessageAgeSeconds) return 'SIGN_IN_EXPIRED'
  const from = Math.max(issued, notBefore === undefined ? 0 : notBefore.getTime() / 1000)
  if (from > expected.now + clockToleranceSeconds) return 'SIGN_IN_NOT_YET'
  const others = resources.filter((one) => !one.startsWith(keySetResource))
  const roles = accessRoles.filter((role) => others.includes(roleResource + role))
  // Each of them once, and none that the node does not know: what it does not understand the wallet did not agree to with it.
  if (roles.length === 0 || roles.length !== others.length) return 'SIGN_IN_ROLE'
  return { address: address.toLowerCase() as Address, roles, nonce, expiresAt }
}

/** Reads a message that is written exactly as EIP-4361 writes what it says, and in no other way. */
function readExactly(message: string) {
  const { address, domain, uri, chainId, nonce, issuedAt, expirationTime, version, ...more } =
    parseSiweMessage(message)
  if (
    address === undefined ||
    domain === undefined ||
    uri === undefined ||
    chainId === undefined ||
    nonce === undefined ||
    issuedAt === undefined ||
    // Without an end, it would be for ever.
    expirationTime === undefined ||
    version !== '1'
  )
    return undefined
  const said = { address, domain, uri, chainId, nonce, issuedAt, expirationTime, version, ...more }
  try {
    return createSiweMessage(said) === message ? said : undefined
  } catch {
    return undefined
  }
}
