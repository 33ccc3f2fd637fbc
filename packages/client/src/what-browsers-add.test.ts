import { platformRandom } from '@sealpool/crypto'
import { expect, test } from 'vitest'
import { nodeAccess } from './access/node-access.js'
import { searchCatalogue } from './catalogue/index.js'
import { tiledLogSource } from './log/index.js'
import { nodeApi } from './node-api/node-api.js'
import { httpBlobStore } from './store/http-store.js'
import { ipfsBlobStore } from './store/ipfs-store.js'
import { s3BlobStore } from './store/s3-store.js'
import { at, measurement, node, nonce, pool } from './testing/simulated-pool.js'

/*
 * A browser adds cookies and the page's address to a request, keeps the answer, and follows redirects, unless it is told not to. Node does
 * nothing of that by itself, so that no server of a test would notice: what is looked at is what the platform was told.
 */

const url = 'http://server.example'
const bytes = new Uint8Array([1, 2, 3])
const store = { url, attempts: 1 }
const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }

const calls: Record<string, (fetch: typeof globalThis.fetch) => Promise<unknown>> = {
  'a question to a node': (fetch) => nodeApi({ url, fetch }).evidence(nonce),
  'a plan for a node': (fetch) => nodeApi({ url, fetch }).plan({ pools: [pool] }),
  'a sealed call': (fetch) =>
    nodeAccess({ token: 'token' })({
      ...{ nodeUrl: url, chainId: 1, fetch, random: platformRandom, now: () => at },
      keySet: async () => node.keySet,
    })(`${url}/v1/jobs/7`),
  'a search in a catalogue': (fetch) => searchCatalogue({ url, fetch, text: 'wages' }),
  'a question to a log': (fetch) => tiledLogSource({ url, fetch })(measurement),
  'a blob by HTTP': (fetch) => httpBlobStore({ ...store, fetch }).put(bytes),
  'a blob by IPFS': (fetch) => ipfsBlobStore({ ...store, fetch }).put(bytes),
  'a blob by S3': (fetch) =>
    s3BlobStore({ endpoint: url, attempts: 1, fetch, bucket: 'blobs', region: 'r', credentials }).put(bytes),
}

test.each(Object.entries(calls))('%s goes without cookies, page, cache and redirects', async (_, call) => {
  const told: (RequestInit | undefined)[] = []
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    told.push(init)
    throw new TypeError('the server is away')
  }
  await expect(call(fetch)).rejects.toBeDefined()
  expect(told.length).toBeGreaterThan(0)
  for (const init of told) {
    expect(init).toMatchObject({ credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' })
    // `manual` is answered by an opaque redirect, which stores refuse.
    expect(['error', 'manual']).toContain(init?.redirect)
  }
})
