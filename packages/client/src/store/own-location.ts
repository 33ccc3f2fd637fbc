/**
 * Where a contributor keeps a sealed file himself: an address that ends in the file's digest. It is no blob locator: only who has decided to
 * ask addresses of a stranger's choice, and guards that, reads it.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'

/** A sealed file in its owner's own store. */
export interface OwnLocation {
  readonly digest: Digest
  /** http or https, without user and without fragment. */
  readonly url: URL
}

/** Longest locator that the registry takes, in bytes. */
const longestLocator = 512
/** Nothing but visible ASCII, so that text and address are one; the digest is a path segment of its own, a value, or the fragment. */
const locationPattern = /^https?:\/\/[!-~]*[/=#]([0-9a-f]{64})$/

/** A store's address: ASCII alone, no user, no query, no fragment. */
const storePattern = /^https?:\/\/[!"$->A-~]+$/

/**
 * Writes the location of a sealed file.
 *
 * @param store address under which the owner's store gives files as `<store>/<64 hex digits>`
 * @param digest of the sealed file
 * @returns the text that goes on chain
 * @throws ClientError `OPTION_INVALID` for an address with user, query or fragment, or none at all; the chain refuses one of more than
 *   512 bytes
 */
export function formatOwnLocation(store: string, digest: Digest): string {
  const locator = `${store.replace(/\/+$/, '')}/${digest.slice(7)}`
  if (!storePattern.test(store) || !URL.canParse(locator))
    throw new ClientError('OPTION_INVALID', 'ownStore', 'expected an http address')
  return locator
}

/**
 * Reads the location of a sealed file, from anyone.
 *
 * @param locator text from the chain
 * @returns digest and address; undefined when it is no own location
 */
export function parseOwnLocation(locator: string): OwnLocation | undefined {
  if (locator.length > longestLocator) return undefined
  const hex = locationPattern.exec(locator)?.[1]
  if (hex === undefined || !URL.canParse(locator)) return undefined
  const url = new URL(locator)
  if (url.username !== '' || url.password !== '' || url.hostname === '') return undefined
  // Servers are not told a fragment: it is there for stores whose addresses do not end in the digest.
  url.hash = ''
  return { digest: `sha256:${hex}`, url }
}
