import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'

/** The CID that another implementation (Helia's importer) gives a file under Kubo's settings. */
export async function importerCid(bytes: Uint8Array): Promise<string> {
  const blockstore = { put: async (cid: unknown) => cid }
  const options = {
    cidVersion: 1,
    rawLeaves: true,
    reduceSingleLeafToSelf: true,
    chunker: fixedSize({ chunkSize: 262_144 }),
    layout: balanced({ maxChildrenPerNode: 174 }),
  } as const
  let cid = ''
  for await (const entry of importer([{ path: 'blob', content: [bytes] }], blockstore as never, options)) {
    cid = entry.cid.toString()
  }
  return cid
}

/** What a fake Kubo node holds; tests change it. */
export interface FakeKubo {
  readonly handle: RequestListener
  /** Files by CID, as `cat` gives them. */
  readonly files: Map<string, Uint8Array>
  /** Files of other nodes, by CID: found only without `offline`. */
  readonly network: Map<string, Uint8Array>
  readonly pins: Set<string>
  /** Blocks that a pinned tree holds, and which one. */
  readonly pinnedWithin: Map<string, string>
  /** The node's own file system: path to CID. */
  readonly paths: Map<string, string>
  /** Its folders that were made by themselves. */
  readonly folders: Set<string>
  /** Commands answered so far. */
  readonly commands: string[]
  /** Collects its garbage: what is neither pinned nor in its own file system. */
  readonly collect: () => void
}

/**
 * A node that speaks Kubo's RPC: POST only, arguments in the query, files as multipart bodies, answers as lines of JSON,
 * every failure of a well-formed request as status 500 with `{Message, Code, Type}`. CIDs come from another
 * implementation than ours.
 */
export function fakeKubo(): FakeKubo {
  const files = new Map<string, Uint8Array>()
  const network = new Map<string, Uint8Array>()
  const pins = new Set<string>()
  const pinnedWithin = new Map<string, string>()
  const paths = new Map<string, string>()
  const folders = new Set<string>()
  const commands: string[] = []

  const fail = (response: ServerResponse, message: string) =>
    response
      .writeHead(500, { 'content-type': 'application/json' })
      .end(`${JSON.stringify({ Message: message, Code: 0, Type: 'error' })}\n`)
  const line = (response: ServerResponse, answer: object) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer)}\n`)

  async function add(request: IncomingMessage, response: ServerResponse, query: URLSearchParams) {
    const bytes = multipartFile(await bodyOf(request), request.headers['content-type'] ?? '')
    if (bytes === undefined) {
      fail(response, "file argument 'path' is required")
      return
    }
    if (query.get('cid-version') !== '1' || query.get('raw-leaves') !== 'true') {
      fail(response, 'the fake knows version 1 with raw leaves only')
      return
    }
    const cid = await importerCid(bytes)
    files.set(cid, bytes)
    if (query.get('pin') !== 'false') pins.add(cid)
    line(response, { Name: 'blob', Hash: cid, Size: String(bytes.length) })
  }

  function cat(response: ServerResponse, query: URLSearchParams) {
    const cid = (query.get('arg') ?? '').replace(/^\/ipfs\//, '')
    const offline = query.get('offline') === 'true'
    const bytes = files.get(cid) ?? (offline ? undefined : network.get(cid))
    if (bytes === undefined) {
      // Without `offline`, a node looks for providers until somebody gives up.
      if (offline) fail(response, `block was not found locally (offline): ipld: could not find ${cid}`)
      return
    }
    const offset = Number(query.get('offset') ?? 0)
    const length = query.get('length')
    const part = bytes.slice(offset, length === null ? undefined : offset + Number(length))
    response.writeHead(200, { 'content-type': 'text/plain', 'x-stream-output': '1' })
    for (let start = 0; start < part.length; start += 65_536)
      response.write(part.slice(start, start + 65_536))
    response.end()
  }

  async function command(
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ) {
    const [first = '', second = ''] = query.getAll('arg')
    if (name === 'add') return add(request, response, query)
    if (name === 'cat') return cat(response, query)
    if (name === 'files/stat') {
      const cid = paths.get(first)
      if (cid === undefined) return fail(response, 'file does not exist')
      const size = files.get(cid)?.length ?? 0
      return line(response, { Hash: cid, Size: size, CumulativeSize: size, Blocks: 0, Type: 'file' })
    }
    if (name === 'files/cp') {
      if (paths.has(second)) {
        return fail(
          response,
          `cp: cannot put node in path ${second}: directory already has entry by that name`,
        )
      }
      const cid = first.replace(/^\/ipfs\//, '')
      if (!files.has(cid))
        return fail(response, `block was not found locally (offline): ipld: could not find ${cid}`)
      paths.set(second, cid)
      return response.writeHead(200).end()
    }
    if (name === 'files/rm') {
      if (!paths.delete(first)) return fail(response, 'file does not exist')
      return response.writeHead(200).end()
    }
    if (name === 'files/mkdir') {
      folders.add(first)
      return response.writeHead(200).end()
    }
    if (name === 'files/ls') {
      const inside = [...folders].filter((path) => path.startsWith(`${first}/`))
      if (inside.length === 0 && !folders.has(first)) return fail(response, 'file does not exist')
      const entries = inside.map((path) => ({
        Name: path.slice(first.length + 1),
        Type: 0,
        Size: 0,
        Hash: '',
      }))
      return line(response, { Entries: entries })
    }
    if (name === 'pin/add') {
      if (!files.has(first))
        return fail(response, `block was not found locally: ipld: could not find ${first}`)
      pins.add(first)
      return line(response, { Pins: [first] })
    }
    if (name === 'pin/ls') {
      if (!pins.has(first)) return fail(response, `path '/ipfs/${first}' is not pinned`)
      return line(response, { Keys: { [first]: { Type: 'recursive', Name: '' } } })
    }
    if (name === 'pin/rm') {
      if (!pins.delete(first)) return fail(response, 'not pinned or pinned indirectly')
      return line(response, { Pins: [first] })
    }
    if (name === 'block/rm') {
      // What keeps a block is said in an answer of status 200, as in Kubo.
      const by = pins.has(first) ? 'recursive' : pinnedWithin.get(first)
      if (by !== undefined) return line(response, { Hash: first, Error: `pinned via ${by}` })
      files.delete(first)
      return line(response, { Hash: first })
    }
    return response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found')
  }

  return {
    files,
    network,
    pins,
    pinnedWithin,
    paths,
    folders,
    commands,
    collect() {
      const kept = new Set([...pins, ...paths.values()])
      for (const cid of files.keys()) if (!kept.has(cid)) files.delete(cid)
    },
    handle(request, response) {
      if (request.method !== 'POST') {
        response.writeHead(405, { allow: 'POST' }).end('405 - Method Not Allowed')
        return
      }
      const url = new URL(request.url ?? '/', 'http://kubo')
      const name = url.pathname.replace('/api/v0/', '')
      commands.push(name)
      command(name, request, response, url.searchParams).catch((error: unknown) =>
        response.destroy(error as Error),
      )
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** The first file of a multipart body (RFC 7578). */
function multipartFile(body: Buffer, contentType: string): Uint8Array | undefined {
  const boundary = /^multipart\/form-data; *boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (boundary === undefined) return undefined
  const start = body.indexOf('\r\n\r\n', body.indexOf(`--${boundary}\r\n`))
  const end = body.indexOf(`\r\n--${boundary}--`, start)
  return start < 0 || end < 0 ? undefined : new Uint8Array(body.subarray(start + 4, end))
}
