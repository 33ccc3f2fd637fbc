/**
 * Blobs in IPFS, through the RPC of a Kubo node.
 * @module
 */
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { limitedBytes } from '../limited-bytes.js'
import { missing, requireDigest, requireSize } from './blob-check.js'
import { type BlobStore, defaultMaximumBlobBytes, parseBlobLocator, requireRange } from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'
import { ipfsCid, ipfsCidOfChunk } from './ipfs-cid.js'
import { storeTransport } from './store-transport.js'
import { discard, parseStoreUrl, refused, type TransportOptions } from './transport.js'

export { ipfsCid } from './ipfs-cid.js'

/** How to reach a Kubo node. */
export interface IpfsBlobStoreOptions extends TransportOptions {
  /** Base address of the RPC, for example `http://127.0.0.1:5001`. */
  readonly url: string
  /** Further request headers, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Folder of the node's own file system (MFS) in which blobs are found by digest; default `/sealpool`. */
  readonly folder?: string
  /**
   * `true`: ask the network for small blobs (one chunk, 256 KiB) that the node does not hold; a missing one then takes the
   * whole `timeoutMs`. Default `false`.
   */
  readonly network?: boolean
  /** Largest blob in bytes, enforced while the answer arrives; default 64 MiB. */
  readonly maximumBytes?: number
}

/** A blob store in IPFS, which also knows the CIDs under which others find its blobs. */
export interface IpfsBlobStore extends BlobStore {
  readonly name: 'ipfs'
  /**
   * The CID of a blob that the node holds, for pinning it elsewhere.
   * @throws BlobStoreError `BLOB_LOCATOR_INVALID`, `BLOB_MISSING`, `BLOB_STORE_FAILED`
   */
  cid(locator: string): Promise<string>
}

/** Kubo's words for "it is not there"; its RPC answers every failure with status 500. */
const notThere = /does not exist|not found|no link named/i

/**
 * A blob store on a Kubo node. `put` adds and pins the blob, compares the CID with the one computed here, and enters it
 * under its digest in a folder of the node, which keeps it from being collected; `get` finds it there, and a blob of one
 * chunk also by the CID that follows from its digest, from any node. What comes back is checked against the digest. `remove` unpins it and
 * takes it out of the folder; blocks of larger blobs lie there until the node collects its garbage, and other nodes keep what they pinned. A
 * blob of one chunk that is pinned as a part of something else stays: `remove` then says so.
 *
 * The RPC of a Kubo node is a node's whole control: give it to nobody but the app, never to the internet.
 * @param options address, limits, patience
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` when an option cannot be right
 */
export function ipfsBlobStore(options: IpfsBlobStoreOptions): IpfsBlobStore {
  const base = parseStoreUrl(options.url)
  const folder = options.folder ?? '/sealpool'
  if (!/^(\/[A-Za-z0-9_-]{1,64}){1,8}$/.test(folder)) {
    throw new BlobStoreError('BLOB_STORE_FAILED', 'folder', 'expected a path such as /sealpool')
  }
  const limit = options.maximumBytes ?? defaultMaximumBlobBytes
  // 500 is Kubo's way of saying no; a proxy's busy answers are others.
  const transport = storeTransport(options, (status) => status === 429 || (status > 500 && status < 600))

  async function rpc<Result>(
    call: {
      readonly place: Digest
      readonly command: string
      readonly query: readonly (readonly [string, string])[]
      readonly body?: () => FormData
      readonly signal?: AbortSignal | undefined
    },
    read: (response: Response) => Promise<Result>,
  ): Promise<Result | { readonly failure: string }> {
    const { place, command, signal } = call
    const url = `${base}/api/v0/${command}?${new URLSearchParams(call.query.map(([name, value]) => [name, value]))}`
    const init = () => ({
      url,
      method: 'POST',
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(call.body === undefined ? {} : { body: call.body() }),
    })
    return transport<Result | { readonly failure: string }>({ place, signal, init }, async (response) => {
      if (response.ok) return read(response)
      const text = new TextDecoder().decode(
        await limitedBytes(response, 65_536, () => refused(place, response.status)),
      )
      if (response.status !== 500) throw refused(place, response.status)
      return { failure: messageOf(text) }
    })
  }

  /** A command that answers with lines of JSON; the last line is the answer. */
  async function ask(call: Parameters<typeof rpc>[0]) {
    const { place } = call
    return rpc(call, async (response) => {
      const bytes = await limitedBytes(response, 65_536, () => unreadable(place))
      const line = new TextDecoder().decode(bytes).trim().split('\n').at(-1) ?? ''
      return { answer: parsed(line) }
    })
  }

  async function entryOf(digest: Digest, hex: string, signal: AbortSignal | undefined) {
    const query = [['arg', `${folder}/${hex}`]] as const
    const stat = await ask({ place: digest, command: 'files/stat', query, signal })
    if ('failure' in stat) {
      if (notThere.test(stat.failure)) return undefined
      throw failed(digest, 'files/stat', stat.failure)
    }
    const { Hash: cid } = stat.answer
    if (typeof cid !== 'string' || !/^b[a-z2-7]{58}$/.test(cid)) throw unreadable(digest)
    return cid
  }

  async function add(body: Uint8Array<ArrayBuffer>, digest: Digest, signal: AbortSignal | undefined) {
    const cid = ipfsCid(body)
    const query = [
      ['cid-version', '1'],
      ['raw-leaves', 'true'],
      ['chunker', 'size-262144'],
      ['hash', 'sha2-256'],
      ['pin', 'true'],
      ['max-file-links', '174'],
      ['quieter', 'true'],
      ['progress', 'false'],
    ] as const
    const form = () => {
      const data = new FormData()
      data.append('file', new Blob([body], { type: 'application/octet-stream' }), 'blob')
      return data
    }
    const added = await ask({ place: digest, command: 'add', query, body: form, signal })
    if ('failure' in added) throw failed(digest, 'add', added.failure)
    const { Hash: named } = added.answer
    if (named !== cid) {
      throw new BlobStoreError(
        'BLOB_STORE_FAILED',
        digest,
        'the node names the blob by another CID than its bytes have; set its Import settings to the defaults',
      )
    }
    return cid
  }

  async function enter(cid: string, digest: Digest, hex: string, signal: AbortSignal | undefined) {
    const path = `${folder}/${hex}`
    const known = await entryOf(digest, hex, signal)
    if (known === cid) return
    if (known !== undefined) {
      // Somebody put another file under this digest: it is replaced.
      const query = [['arg', path]] as const
      const removed = await ask({ place: digest, command: 'files/rm', query, signal })
      if ('failure' in removed) throw failed(digest, 'files/rm', removed.failure)
    }
    const query = [
      ['arg', `/ipfs/${cid}`],
      ['arg', path],
      ['parents', 'true'],
    ] as const
    const copied = await ask({ place: digest, command: 'files/cp', query, signal })
    // Two writers of the same blob: the other one was faster.
    if ('failure' in copied && (await entryOf(digest, hex, signal)) !== cid) {
      throw failed(digest, 'files/cp', copied.failure)
    }
  }

  /** The blob's CID, and whether only the network may have it. */
  async function find(digest: Digest, hex: string, signal: AbortSignal | undefined) {
    const cid = await entryOf(digest, hex, signal)
    return cid === undefined
      ? { cid: ipfsCidOfChunk(digest), offline: options.network !== true }
      : { cid, offline: true }
  }

  async function cat(
    digest: Digest,
    found: { readonly cid: string; readonly offline: boolean },
    range: { readonly start: number; readonly length: number; readonly signal?: AbortSignal | undefined },
    tooLarge: () => BlobStoreError,
  ): Promise<Uint8Array> {
    const query = [
      ['arg', found.cid],
      ['offset', String(range.start)],
      ['length', String(range.length)],
      ...(found.offline ? [['offline', 'true'] as const] : []),
    ] as const
    const call = { place: digest, command: 'cat', query, signal: range.signal }
    const bytes = await rpc(call, (response) => limitedBytes(response, range.length, tooLarge))
    if (!('failure' in bytes)) return bytes
    throw notThere.test(bytes.failure) ? missing(digest) : failed(digest, 'cat', bytes.failure)
  }

  return {
    name: 'ipfs',
    async put(given, write = {}) {
      write.signal?.throwIfAborted()
      requireSize(given.length, limit, 'put')
      const body = given.slice()
      const digest = sha256Digest(body)
      const { hex } = parseBlobLocator(digest)
      const cid = await add(body, digest, write.signal)
      await enter(cid, digest, hex, write.signal)
      return { locator: digest, digest }
    },
    async get(locator, read = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      read.signal?.throwIfAborted()
      const most = Math.min(limit, read.maximumBytes ?? limit)
      const tooLarge = () =>
        new BlobStoreError('BLOB_TOO_LARGE', digest, `the blob is larger than ${most} bytes; raise the limit`)
      const found = await find(digest, hex, read.signal)
      // One byte more than allowed shows that there is more.
      const bytes = await cat(digest, found, { start: 0, length: most + 1, signal: read.signal }, tooLarge)
      if (bytes.length > most) throw tooLarge()
      return requireDigest(bytes, digest)
    },
    async getRange(locator, range) {
      const { digest, hex } = parseBlobLocator(locator)
      requireRange(range, limit)
      range.signal?.throwIfAborted()
      const found = await find(digest, hex, range.signal)
      const wrong = () =>
        new BlobStoreError('BLOB_STORE_FAILED', digest, 'the node sent more than was asked for')
      const bytes = await cat(digest, found, { ...range, length: Math.max(1, range.length) }, wrong)
      return bytes.subarray(0, range.length)
    },
    async remove(locator, write = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      write.signal?.throwIfAborted()
      const order = async (
        command: string,
        query: readonly (readonly [string, string])[],
        done: RegExp,
      ): Promise<void> => {
        const answer = await rpc({ place: digest, command, query, signal: write.signal }, discard)
        if (answer !== undefined && !done.test(answer.failure)) throw failed(digest, command, answer.failure)
      }
      const cid = await entryOf(digest, hex, write.signal)
      if (cid !== undefined) {
        await order('pin/rm', [['arg', cid]], /not pinned/i)
        await order('files/rm', [['arg', `${folder}/${hex}`]], notThere)
      }
      // Until the node collects its garbage, a blob of one chunk would still be found by the CID that follows from its digest: also after a
      // removal that was cut short here.
      const block = [
        ['arg', ipfsCidOfChunk(digest)],
        ['force', 'true'],
      ] as const
      // A block that something else pins stays, which is said in an answer of status 200.
      const kept = await ask({ place: digest, command: 'block/rm', query: block, signal: write.signal })
      const failure = 'failure' in kept ? kept.failure : kept.answer['Error']
      if (failure !== undefined && failure !== '' && !notThere.test(String(failure)))
        throw failed(digest, 'block/rm', plain(failure))
    },
    async cid(locator) {
      const { digest, hex } = parseBlobLocator(locator)
      const cid = await entryOf(digest, hex, undefined)
      if (cid === undefined) throw missing(digest)
      return cid
    },
  }
}

/** Kubo's error text, for telling "not there" from failure; only plain characters go on. */
function messageOf(text: string): string {
  return plain(parsed(text)['Message'])
}

function plain(message: unknown): string {
  return (typeof message === 'string' ? message : '').replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function failed(digest: Digest, command: string, message: string): BlobStoreError {
  return new BlobStoreError(
    'BLOB_STORE_FAILED',
    digest,
    `the node refused ${command}: ${message || 'no reason'}`,
  )
}

function unreadable(digest: Digest): BlobStoreError {
  return new BlobStoreError(
    'BLOB_STORE_FAILED',
    digest,
    'the node’s answer is not that of a Kubo RPC; check the address',
  )
}
