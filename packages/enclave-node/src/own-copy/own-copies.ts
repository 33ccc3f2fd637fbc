/**
 * Fetches sealed files from stores of their owners' choice. Neither server nor address is trusted: nothing but the public internet is asked,
 * no redirect is followed, time and size are bounded, and what comes must have the digest.
 * @module
 */
import { lookup as hostLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { BlobStoreError, type OwnLocation } from '@sealpool/client'
import { sha256Digest } from '@sealpool/crypto'
import type { OwnCopiesSettings } from '../config/own-copies-settings.js'
import { isPublicAddress } from './public-address.js'

/** Sealed files in stores of their owners. */
export interface OwnCopies {
  /**
   * Fetches one.
   * @throws BlobStoreError `BLOB_MISSING` when it cannot be had, whyever; `BLOB_TOO_LARGE`, `BLOB_DIGEST_MISMATCH`
   */
  get(location: OwnLocation, options: { readonly maximumBytes: number }): Promise<Uint8Array>
}

/** Looks a name up. @returns its addresses */
export type ResolveName = (name: string, patienceMs: number) => Promise<readonly string[]>

/** Most bytes of an answer's headers. */
const headerBytes = 16_384

/**
 * @param settings patience, and whether private networks may be asked
 * @param resolve looks names up; the system's name servers when absent, which hold up no other thread
 */
export function ownCopies(
  { patienceSeconds, privateNetworks }: Pick<OwnCopiesSettings, 'patienceSeconds' | 'privateNetworks'>,
  resolve: ResolveName = resolvePublic,
): OwnCopies {
  const patienceMs = patienceSeconds * 1_000
  return {
    async get({ url, digest }, { maximumBytes }) {
      const away = (why: string, cause?: unknown) =>
        new BlobStoreError('BLOB_MISSING', digest, `the owner’s store does not give the file: ${why}`, {
          cause,
        })
      if (!privateNetworks && !mayBeAsked(url)) throw away('its address is not asked')
      const signal = AbortSignal.timeout(patienceMs)
      const lookup = privateNetworks ? hostLookup : publicLookup(resolve, patienceMs)
      let bytes: Uint8Array
      try {
        const answer = await ask(url, { signal, lookup })
        try {
          bytes = await bodyOf(answer, maximumBytes)
        } finally {
          // What is left of a body that was too large, or of an answer that is a no, is not waited for.
          answer.destroy()
        }
      } catch (cause) {
        if (cause instanceof BlobStoreError) throw cause
        if (cause instanceof TooLarge)
          throw new BlobStoreError('BLOB_TOO_LARGE', digest, `the file is larger than ${maximumBytes} bytes`)
        throw away('no complete answer in time', cause)
      }
      if (sha256Digest(bytes) !== digest)
        throw new BlobStoreError('BLOB_DIGEST_MISMATCH', digest, 'the owner’s store gives another file')
      return bytes
    },
  }
}

/** TLS, a usual port or a high one, and a name or a public address. */
function mayBeAsked({ protocol, hostname, port }: URL): boolean {
  if (protocol !== 'https:' || (port !== '' && Number(port) < 1_024)) return false
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 || isPublicAddress(address)
}

class TooLarge extends Error {}

/** The connection is made to the very address that was judged: a name that says something else a moment later changes nothing. */
function publicLookup(resolve: ResolveName, patienceMs: number): LookupFunction {
  return (name, { all }, done) => {
    resolve(name, patienceMs).then(
      (addresses) => {
        const allowed = addresses
          .filter(isPublicAddress)
          .map((address) => ({ address, family: isIP(address) }))
        const [first] = allowed
        if (first === undefined) return done(new Error('the name has no public address'), '', 4)
        if (all === true) return done(null, allowed)
        return done(null, first.address, first.family)
      },
      (error: Error) => done(error, '', 4),
    )
  }
}

async function resolvePublic(name: string, patienceMs: number): Promise<readonly string[]> {
  // Not `lookup`: that waits in one of few threads, which whoever runs a slow name server could fill.
  const resolver = new Resolver({ timeout: Math.max(1_000, Math.floor(patienceMs / 2)), tries: 1 })
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}

function ask(
  url: URL,
  options: { readonly signal: AbortSignal; readonly lookup: LookupFunction },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request: ClientRequest = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, {
      ...options,
      method: 'GET',
      // A connection of its own, which ends with it.
      agent: false,
      maxHeaderSize: headerBytes,
      headers: {
        accept: 'application/octet-stream',
        'accept-encoding': 'identity',
        'user-agent': 'sealpool-node',
      },
    })
    request.once('response', resolve)
    // Also what comes after the answer has begun, which its body tells as well.
    request.on('error', reject)
    // Ends also what ends without an error: an answer that changes to another protocol is none, and the signal reaches it no more.
    request.once('close', () => reject(new Error('the connection ended without an answer')))
    request.end()
  })
}

async function bodyOf(answer: IncomingMessage, maximumBytes: number): Promise<Uint8Array> {
  // Nothing is followed, and no part was asked for.
  if (answer.statusCode !== 200) throw new Error(`the store answered ${answer.statusCode}`)
  if (Number(answer.headers['content-length'] ?? 0) > maximumBytes) throw new TooLarge()
  // One growing piece: whoever sends byte by byte costs no more memory than the file.
  let held = new Uint8Array(Math.min(maximumBytes, 65_536))
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (size + chunk.length > maximumBytes) throw new TooLarge()
    if (size + chunk.length > held.length) {
      const larger = new Uint8Array(Math.min(maximumBytes, Math.max(2 * held.length, size + chunk.length)))
      larger.set(held.subarray(0, size))
      held = larger
    }
    held.set(chunk, size)
    size += chunk.length
  }
  return held.slice(0, size)
}
