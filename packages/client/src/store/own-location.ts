/**
 * Where a contributor keeps a sealed file himself: an address that ends in the file's digest. It is no blob locator: only who has decided to
 * ask addresses of a stranger's choice, and guards that, reads it.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { parseBlobLocator } from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'
import { parseStoreUrl } from './transport.js'

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

/**
 * Writes the location of a sealed file.
 *
 * @param store address under which the owner's store gives files as `<store>/<64 hex digits>`
 * @param digest of the sealed file
 * @returns the text that goes on chain
 * @throws BlobStoreError `BLOB_STORE_FAILED` for an address with user, query or fragment, or none at all; `BLOB_LOCATOR_INVALID` when
 *   it is too long
 */
export function formatOwnLocation(store: string, digest: Digest): string {
  const locator = `${parseStoreUrl(store)}/${parseBlobLocator(digest).hex}`
  if (parseOwnLocation(locator) === undefined) {
    throw new BlobStoreError(
      'BLOB_LOCATOR_INVALID',
      'ownStore',
      `the address of the own store is too long or has other than ASCII characters; the chain takes ${longestLocator} bytes with the file's name`,
    )
  }
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
