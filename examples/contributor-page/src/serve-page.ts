import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { PracticePool } from '../../practice-pool/src/practice-pool.js'
import { consentText } from '../../practice-pool/src/practice-pool.js'
import type { PageFiles } from './build-page.js'
import { formatPageSettings } from './page-settings.js'

const largestBody = 1_000_000

/** No script, style or connection but the page's own. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Serves the page, and under its own origin what it talks to: `/node/` is the node, `/chain` the chain, `/blobs/` the store. A
 * node sends no CORS headers, so that an app needs something like this in front of it.
 *
 * @param options - the built page, the practice pool, the port (0: any free one)
 * @returns the address, and how to stop
 */
export async function servePage(options: {
  readonly files: PageFiles
  readonly practice: PracticePool
  readonly port: number
}): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const { files, practice, port } = options
  const { deployment, contracts, policy, schemaId, mediaType, blobStore, devnet, nodeUrl } = practice
  const text = (body: string, type: string) => ({ status: 200, type, body: new TextEncoder().encode(body) })
  const settings = formatPageSettings({
    ...{ deployment, pool: contracts.pool, policy, schemaId, mediaType, consentText },
    ...{ rpcUrl: 'chain', nodeUrl: 'node', blobUrl: 'blobs' },
  })
  const pass = async (url: string, request: IncomingMessage) => {
    const body = request.method === 'POST' ? await bodyOf(request) : null
    const answer = await fetch(url, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
    })
    const type = answer.headers.get('content-type') ?? 'application/json'
    return { status: answer.status, type, body: new Uint8Array(await answer.arrayBuffer()) }
  }
  const blob = async (hex: string, request: IncomingMessage) => {
    const locator = `sha256:${hex}` as const
    const type = 'application/octet-stream'
    if (request.method === 'GET') return { status: 200, type, body: await blobStore.get(locator) }
    // The name is the digest, and the store names by digest: a blob under another name is only not found.
    await blobStore.put(await bodyOf(request))
    return { status: 201, type, body: new Uint8Array() }
  }
  const answerTo = (request: IncomingMessage) => {
    const path = request.url ?? '/'
    const file = files.get(path)
    if (file !== undefined) return { status: 200, ...file }
    if (path === '/pool.json') return text(settings, 'application/json')
    if (path === '/development-wallet.js') return text(developmentWallet(practice), 'text/javascript')
    if (path === '/chain') return pass(devnet.rpcUrl, request)
    if (path.startsWith('/node/')) return pass(`${nodeUrl}${path.slice('/node'.length)}`, request)
    const hex = /^\/blobs\/([0-9a-f]{64})$/.exec(path)?.[1]
    if (hex !== undefined) return blob(hex, request)
    return { status: 404, type: 'text/plain', body: new Uint8Array() }
  }
  const server = createServer(async (request, response) => {
    try {
      const { status, type, body } = await answerTo(request)
      response.writeHead(status, {
        'content-type': type,
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      response.end(body)
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'BLOB_MISSING'
      response.writeHead(missing ? 404 : 502).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => closeServer(server) }
}

/** A wallet for this local chain only: the chain itself holds the keys and signs whatever it is asked. */
function developmentWallet({ contributors }: PracticePool): string {
  const accounts = JSON.stringify(contributors.slice(-1).map(({ address }) => address))
  return `// DEVELOPMENT WALLET: the local chain signs whatever the page asks.
window.ethereum = {
  async request({ method, params }) {
    if (method === 'eth_requestAccounts' || method === 'eth_accounts') return ${accounts}
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: params ?? [] })
    const answer = await fetch('chain', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { result, error } = await answer.json()
    if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data })
    return result
  },
}
`
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > largestBody) throw new Error('the request is too large')
    parts.push(part as Buffer)
  }
  return new Uint8Array(Buffer.concat(parts))
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
