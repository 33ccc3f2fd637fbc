import { createServer, type RequestListener, type Server } from 'node:http'

/** HTTP servers of a test on free ports of 127.0.0.1. */
export function localServers() {
  const servers: Server[] = []
  return {
    /** Starts one. @returns its base address */
    async serve(handle: RequestListener): Promise<string> {
      const server = createServer(handle)
      servers.push(server)
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      return `http://127.0.0.1:${address.port}`
    },
    async close(): Promise<void> {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
    },
  }
}

/** A server that keeps objects and answers ranges, as any web server with PUT does. */
export function objectServer(
  blobs: Map<string, Uint8Array>,
  options: { readonly ranges?: boolean } = {},
): RequestListener {
  return (request, response) => {
    const key = (request.url ?? '').split('/').at(-1) ?? ''
    if (request.method === 'PUT') {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        blobs.set(key, new Uint8Array(Buffer.concat(parts)))
        response.writeHead(201).end()
      })
      return
    }
    if (request.method === 'DELETE') {
      response.writeHead(blobs.delete(key) ? 204 : 404).end()
      return
    }
    const bytes = blobs.get(key)
    if (bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined || last === undefined || options.ranges === false) {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    } else if (Number(first) >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    } else {
      const end = Math.min(Number(last), bytes.length - 1)
      response
        .writeHead(206, { 'content-range': `bytes ${first}-${end}/${bytes.length}` })
        .end(bytes.slice(Number(first), end + 1))
    }
  }
}
