import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'
import { NodeError } from '../errors.js'
import type { ApiEnv } from './api-context.js'

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
 * @throws NodeError `PORT_UNAVAILABLE`
 */
export function serveApi(options: {
  readonly app: Pick<Hono<ApiEnv>, 'fetch'>
  readonly host: string
  readonly port: number
  /** Milliseconds for the headers of a request, and for all of it. */
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /** Connections at a time; more are closed at once. */
  readonly maximumConnections?: number
}): Promise<ServedApi> {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000, maximumConnections = 1_000 } = options
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: options.app.fetch,
        hostname: options.host,
        port: options.port,
        // Slow senders are cut off. Node looks for them every 30 s when it is not told otherwise.
        serverOptions: {
          headersTimeout: headersTimeoutMs,
          requestTimeout: requestTimeoutMs,
          connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
          keepAliveTimeout: 5_000,
          maxHeaderSize: 16_384,
          insecureHTTPParser: false,
          requireHostHeader: true,
        },
      },
      ({ address, port }) => {
        const host = address.includes(':') ? `[${address}]` : address
        resolve({ url: `http://${host}:${port}`, close: () => closeServer(server as Server) })
      },
    )
    ;(server as Server).maxConnections = maximumConnections
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const { code = 'error' } = cause
      const why =
        code === 'EADDRINUSE'
          ? 'another program listens there; stop it, or choose another port'
          : `this program cannot listen there (${code}); choose another address or port`
      reject(new NodeError('PORT_UNAVAILABLE', `${options.host}:${options.port}`, why, { cause }))
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
