import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { parseOwnLocation } from '@sealpool/client'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ownCopies } from './own-copies.js'

/* An owner's store does what its owner wants: it is a server of a stranger. */

const file = new TextEncoder().encode('a sealed file')
const digest = sha256Digest(file)
const hex = digest.slice(7)
const maximumBytes = 1_000

let answer: (request: IncomingMessage, response: ServerResponse) => void
let asked: IncomingMessage[] = []
const server: Server = createServer((request, response) => {
  asked.push(request)
  answer(request, response)
})
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
const { port } = server.address() as AddressInfo
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked = []
  answer = (_, response) => response.end(file)
})

const locationOf = (text: string) => {
  const location = parseOwnLocation(text)
  if (location === undefined) throw new Error('no own location')
  return location
}
const location = locationOf(`http://127.0.0.1:${port}/mine/${hex}`)
const trusting = ownCopies({ patienceSeconds: 1, privateNetworks: true })
const get = (store = trusting, from = location) => store.get(from, { maximumBytes })

describe('a file in its owner’s store', () => {
  it('is fetched as it is, with no word about who asks for whom', async () => {
    expect(await get()).toEqual(file)
    const { method, url, headers } = asked[0] ?? {}
    expect([method, url]).toEqual(['GET', `/mine/${hex}`])
    expect(Object.keys(headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ])
  })

  it('is fetched in whatever pieces it comes', async () => {
    answer = (_, response) => {
      for (const byte of file) response.write(Uint8Array.of(byte))
      response.end()
    }
    expect(await get()).toEqual(file)
  })

  it.each<[string, string, typeof answer]>([
    ['is not there', 'BLOB_MISSING', (_, response) => response.writeHead(404).end()],
    [
      'is somewhere else',
      'BLOB_MISSING',
      (_, response) => response.writeHead(302, { location: '/other' }).end(),
    ],
    ['comes as a part', 'BLOB_MISSING', (_, response) => response.writeHead(206).end(file)],
    ['comes with a no', 'BLOB_MISSING', (_, response) => response.writeHead(500).end(file)],
    ['is another one', 'BLOB_DIGEST_MISMATCH', (_, response) => response.end('a sealed lie')],
    ['is empty', 'BLOB_DIGEST_MISMATCH', (_, response) => response.end()],
    [
      'is announced as too large',
      'BLOB_TOO_LARGE',
      (_, response) => response.writeHead(200, { 'content-length': '1001' }).write('x'),
    ],
    [
      'never ends',
      'BLOB_TOO_LARGE',
      (_, response) => {
        const more = (): void => {
          if (response.destroyed) return
          response.write('x'.repeat(400))
          setImmediate(more)
        }
        more()
      },
    ],
    [
      'breaks off',
      'BLOB_MISSING',
      (_, response) => {
        response.writeHead(200, { 'content-length': '13' })
        response.write('a', () => response.destroy())
      },
    ],
    ['never begins', 'BLOB_MISSING', () => undefined],
    [
      'begins and does not go on',
      'BLOB_MISSING',
      (_, response) => response.writeHead(200, { 'content-length': '13' }).flushHeaders(),
    ],
    [
      'changes to another protocol',
      'BLOB_MISSING',
      (request) =>
        request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
    [
      'is promised again and again',
      'BLOB_MISSING',
      (request) => request.socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)),
    ],
    [
      'comes compressed',
      'BLOB_DIGEST_MISMATCH',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file)),
    ],
    [
      'comes byte by byte for ever',
      'BLOB_MISSING',
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 100)
        response.once('close', () => clearInterval(timer))
      },
    ],
    [
      'comes with endless headers',
      'BLOB_MISSING',
      (_, response) => response.writeHead(200, { big: 'x'.repeat(20_000) }).end(file),
    ],
    [
      'comes over a broken line',
      'BLOB_MISSING',
      (request) => request.socket.end('HTTP/1.1 nonsense\r\n\r\n'),
    ],
  ])('that %s is not live', async (_, code, does) => {
    answer = does
    await expect(get()).rejects.toMatchObject({ code })
    expect(asked).toHaveLength(1)
  })
})

it('a connection whose answer is a no is not kept until the store ends it', async () => {
  const closed = new Promise<void>((resolve) => {
    answer = (request, response) => {
      request.socket.once('close', () => resolve())
      response.writeHead(404).write('x')
    }
  })
  const patient = ownCopies({ patienceSeconds: 600, privateNetworks: true })
  await expect(get(patient)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  await closed
})

describe('addresses of strangers', () => {
  it.each([
    ['this machine', `https://127.0.0.1:${port}/${hex}`],
    ['this machine by another name', `https://[::1]:${port}/${hex}`],
    ['this machine in another notation', `https://2130706433:${port}/${hex}`],
    ['the cloud’s own service', `https://169.254.169.254/${hex}`],
    ['a private network', `https://10.0.0.1/${hex}`],
    ['no TLS', `http://example.org/${hex}`],
    ['a port of another protocol', `https://example.org:25/${hex}`],
  ])('%s is not asked', async (_, text) => {
    let looked = 0
    const guarded = ownCopies({ patienceSeconds: 1, privateNetworks: false }, async () => {
      looked += 1
      return []
    })
    // Not for want of an answer.
    await expect(get(guarded, locationOf(text))).rejects.toMatchObject({
      code: 'BLOB_MISSING',
      message: expect.stringContaining('its address is not asked'),
    })
    expect([looked, asked.length]).toEqual([0, 0])
  })

  it('a name that says this machine is not asked, whatever else it says', async () => {
    let connections = 0
    const listener = createSocketServer((socket) => {
      connections += 1
      socket.destroy()
    })
    await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
    const there = locationOf(`https://owner.example:${(listener.address() as AddressInfo).port}/${hex}`)
    for (const addresses of [['127.0.0.1'], ['::ffff:127.0.0.1', '10.0.0.1'], []]) {
      const guarded = ownCopies({ patienceSeconds: 1, privateNetworks: false }, async () => addresses)
      await expect(get(guarded, there)).rejects.toMatchObject({
        code: 'BLOB_MISSING',
        cause: expect.objectContaining({ message: 'the name has no public address' }),
      })
    }
    expect(connections).toBe(0)
    listener.close()
  })

  it('a name that nobody knows is not live', async () => {
    const guarded = ownCopies({ patienceSeconds: 1, privateNetworks: false }, async () => {
      throw new Error('the name servers are away')
    })
    await expect(get(guarded, locationOf(`https://owner.example/${hex}`))).rejects.toMatchObject({
      code: 'BLOB_MISSING',
    })
  })
})
