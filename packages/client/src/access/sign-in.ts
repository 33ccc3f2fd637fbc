/**
 * The message that a wallet signs to sign in at a node (EIP-4361). It names the digest of the node's key set among its resources:
 * a signature is worth nothing at a node with other keys or other settings.
 *
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { getAddress } from 'viem'
import { createSiweMessage } from 'viem/siwe'
import type { AccessRole } from './capability.js'
import { keySetResource } from './key-set-resource.js'

/** Begins a resource that names a role. */
export const roleResource = 'urn:sealpool:role:'

/** What a sign-in says. */
export interface SignIn {
  readonly address: `0x${string}`
  /** Base address of the node as the wallet's owner knows it. */
  readonly nodeUrl: string
  readonly chainId: number
  /** From the node, single use. */
  readonly nonce: string
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly keySet: Digest
  /** As whom; the node grants all of them or none. */
  readonly roles: readonly AccessRole[]
}

/**
 * The domain that a sign-in at a node names: host and port, or the bare host where it is an IP address, for which EIP-4361's
 * makers know no port (the address of the sign-in, which the message names too, has it).
 *
 * @param nodeUrl base address of the node
 * @returns the domain
 */
export function signInDomain(nodeUrl: string): string {
  const { host, hostname } = new URL(nodeUrl)
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : host
}

/**
 * The address that a sign-in at a node names.
 *
 * @param nodeUrl base address of the node
 * @returns the URI
 */
export function signInUri(nodeUrl: string): string {
  return `${new URL(nodeUrl).href.replace(/\/+$/, '')}/v1/sign-in`
}

/**
 * Writes the message.
 *
 * @param signIn what it says
 * @returns the text to sign with `personal_sign` (EIP-191)
 * @throws viem's SiweInvalidMessageFieldError for a domain or nonce of another form
 */
export function signInMessage(signIn: SignIn): string {
  return createSiweMessage({
    address: getAddress(signIn.address),
    domain: signInDomain(signIn.nodeUrl),
    uri: signInUri(signIn.nodeUrl),
    version: '1',
    chainId: signIn.chainId,
    nonce: signIn.nonce,
    issuedAt: signIn.issuedAt,
    expirationTime: signIn.expiresAt,
    statement: 'Sign in at a Sealpool node. This moves no money and shows nobody your data.',
    resources: [`${keySetResource}${signIn.keySet}`, ...signIn.roles.map((role) => `${roleResource}${role}`)],
  })
}
