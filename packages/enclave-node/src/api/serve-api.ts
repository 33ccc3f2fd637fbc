import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

/** A listening API. */
export interface ServedApi {
  /** `http://<host>:<port>` */
  readonly url: string
  /** Stops taking requests and ends the open ones. */
  close(): Promise<void>
}

/**
 * Serves the API.
 * @param options `port` 0 takes any free one
 */
export function serveApi(options: {
  readonly app: Hono
  readonly host: string
  readonly port: number
}): Promise<ServedApi> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: options.app.fetch,
        hostname: options.host,
        port: options.port,
        // Slow senders are cut off: a request has 10 s for its headers and 30 s for all of it.
        serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
      },
      ({ address, port }) => {
        const host = address.includes(':') ? `[${address}]` : address
        resolve({ url: `http://${host}:${port}`, close: () => closeServer(server as Server) })
      },
    )
    server.once('error', reject)
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
