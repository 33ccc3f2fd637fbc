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
  /**
   * Folder of the node's own file system (MFS) in which blobs are found by digest; default `/sealpool`. Stores with other folders on one
   * node know of each other by the entries of `/sealpool-stores`: what one removes stays for the others.
   */
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

/** Where each store notes its folder: a Kubo node has one pin for each blob, whoever put it there. */
const register = '/sealpool-stores'
const folderPattern = /^(\/[A-Za-z0-9_-]{1,64}){1,8}$/
/** A folder as a name in the register; folders have no dots. */
const nameOf = (folder: string): string => folder.slice(1).replaceAll('/', '.')

/** Kubo's words for "it is not there"; its RPC answers every failure with status 500. */
const notThere = /does not exist|not found|no link named/i

/**
 * A blob store on a Kubo node. `put` adds the blob, compares the CID with the one computed here, enters it under its digest in a folder of
 * the node, which keeps it from being collected, and then pins it, so that a write that was cut short leaves no pin that nothing names; `get` finds it there, and a blob of one
 * chunk also by the CID that follows from its digest, from any node. What comes back is checked against the digest. `remove` unpins it and
 * takes it out of the folder; blocks of larger blobs lie there until the node collects its garbage, and other nodes keep what they pinned.
 * While the folder of another store has the blob too, it stays pinned, and one of one chunk is still found by its CID. A blob of one chunk
 * that is pinned as a part of something else stays: `remove` then says so. A pin that somebody put on the same blob by himself goes.
 *
 * The RPC of a Kubo node is a node's whole control: give it to nobody but the app, never to the internet.
 * @param options address, limits, patience
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` when an option cannot be right
 */
export function ipfsBlobStore(options: IpfsBlobStoreOptions): IpfsBlobStore {
  const base = parseStoreUrl(options.url)
  const folder = options.folder ?? '/sealpool'
  if (!folderPattern.test(folder) || `${folder}/`.startsWith(`${register}/`)) {
    throw new BlobStoreError(
      'BLOB_STORE_FAILED',
      'folder',
      `expected a path such as /sealpool, not ${register}`,
    )
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

  async function entryOf(digest: Digest, hex: string, signal: AbortSignal | undefined, within = folder) {
    const query = [['arg', `${within}/${hex}`]] as const
    const stat = await ask({ place: digest, command: 'files/stat', query, signal })
    if ('failure' in stat) {
      if (notThere.test(stat.failure)) return undefined
      throw failed(digest, 'files/stat', stat.failure)
    }
    const { Hash: cid } = stat.answer
    if (typeof cid !== 'string' || !/^b[a-z2-7]{58}$/.test(cid)) throw unreadable(digest)
    return cid
  }

  /** An order whose answer is not read; what `done` says is as good as done. */
  async function order(
    command: string,
    query: readonly (readonly [string, string])[],
    { place, signal, done }: { place: Digest; signal: AbortSignal | undefined; done?: RegExp },
  ): Promise<void> {
    const answer = await rpc({ place, command, query, signal }, discard)
    if (answer !== undefined && done?.test(answer.failure) !== true)
      throw failed(place, command, answer.failure)
  }

  let registered = false
  /** Notes this store's folder, before it puts the first blob in: other stores look there before they remove one. */
  async function registerFolder(place: Digest, signal: AbortSignal | undefined): Promise<void> {
    if (registered) return
    const query = [
      ['arg', `${register}/${nameOf(folder)}`],
      ['parents', 'true'],
    ] as const
    await order('files/mkdir', query, { place, signal })
    registered = true
  }

  /** The CID under which the folder of another store has the blob. */
  async function heldElsewhere(digest: Digest, hex: string, signal: AbortSignal | undefined) {
    const query = [['arg', register]] as const
    const listed = await ask({ place: digest, command: 'files/ls', query, signal })
    if ('failure' in listed && !notThere.test(listed.failure))
      throw failed(digest, 'files/ls', listed.failure)
    const entries: unknown = 'failure' in listed ? [] : (listed.answer['Entries'] ?? [])
    if (!Array.isArray(entries)) throw unreadable(digest)
    const named = entries.map((entry: unknown) => (entry as { readonly Name?: unknown } | null)?.Name)
    // Stores of before there was a register used the default folder, if no other was given.
    const folders = new Set(['/sealpool', ...named.map((name) => `/${String(name).replaceAll('.', '/')}`)])
    for (const other of folders) {
      if (other === folder || !folderPattern.test(other)) continue
      const cid = await entryOf(digest, hex, signal, other)
      if (cid !== undefined) return cid
    }
    return undefined
  }

  /** Pins what was entered. False: it is not at the node any more, or not all of it. */
  async function pin(cid: string, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const query = [
      ['arg', cid],
      ['offline', 'true'],
    ] as const
    const answer = await ask({ place: digest, command: 'pin/add', query, signal })
    if ('answer' in answer) return true
    if (notThere.test(answer.failure)) return false
    throw failed(digest, 'pin/add', answer.failure)
  }

  async function add(body: Uint8Array<ArrayBuffer>, digest: Digest, signal: AbortSignal | undefined) {
    const cid = ipfsCid(body)
    const query = [
      ['cid-version', '1'],
      ['raw-leaves', 'true'],
      ['chunker', 'size-262144'],
      ['hash', 'sha2-256'],
      ['pin', 'false'],
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

  /** Puts it under its digest. False: it is not at the node any more. */
  async function enter(
    cid: string,
    digest: Digest,
    hex: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const path = `${folder}/${hex}`
    const known = await entryOf(digest, hex, signal)
    if (known === cid) return true
    // Somebody put another file under this digest: it is replaced.
    if (known !== undefined) await order('files/rm', [['arg', path]], { place: digest, signal })
    const query = [
      ['arg', `/ipfs/${cid}`],
      ['arg', path],
      ['parents', 'true'],
      ['offline', 'true'],
    ] as const
    const copied = await ask({ place: digest, command: 'files/cp', query, signal })
    if (!('failure' in copied)) return true
    if (notThere.test(copied.failure)) return false
    // Two writers of the same blob: the other one was faster.
    if ((await entryOf(digest, hex, signal)) === cid) return true
    throw failed(digest, 'files/cp', copied.failure)
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
      await registerFolder(digest, write.signal)
      // Until it is pinned, another store may remove the same blob, or the node collect it: then once more. Entered before it is pinned: of a
      // larger blob only the entry tells the CID, and who cannot name a pin cannot remove it.
      for (let round = 0; round < 2; round++) {
        const cid = await add(body, digest, write.signal)
        const entered = await enter(cid, digest, hex, write.signal)
        if (entered && (await pin(cid, digest, write.signal))) return { locator: digest, digest }
      }
      throw failed(digest, 'put', 'another store removes the same blob meanwhile')
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
      const { signal } = write
      const cid = await entryOf(digest, hex, signal)
      // Also without an entry: earlier releases pinned before they entered, and a write of theirs that was cut short left the pin.
      const pinned = [['arg', cid ?? ipfsCidOfChunk(digest)]] as const
      const none = cid === undefined ? /not pinned|pinned indirectly/i : /not pinned/i
      await order('pin/rm', pinned, { place: digest, signal, done: none })
      if (cid !== undefined) {
        const path = [['arg', `${folder}/${hex}`]] as const
        await order('files/rm', path, { place: digest, signal, done: notThere })
      }
      // After the pin is gone: whoever enters the blob from now on sees that, and pins it again.
      const other = await heldElsewhere(digest, hex, signal)
      if (other !== undefined) {
        await order('pin/add', [['arg', other]], { place: digest, signal })
        return
      }
      // Until the node collects its garbage, a blob of one chunk would still be found by the CID that follows from its digest: also after a
      // removal that was cut short here.
      const block = [
        ['arg', ipfsCidOfChunk(digest)],
        ['force', 'true'],
      ] as const
      // A block that something else pins stays, which is said in an answer of status 200.
      const kept = await ask({ place: digest, command: 'block/rm', query: block, signal })
      const failure = 'failure' in kept ? kept.failure : kept.answer['Error']
      if (failure === undefined || failure === '' || notThere.test(String(failure))) return
      // Another store was putting it meanwhile: it is that one's now.
      if ((await heldElsewhere(digest, hex, signal)) !== undefined) return
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
