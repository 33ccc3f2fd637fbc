/**
 * Cases of reading sealed files from stores of their owners: a server of a stranger at an address of his choice.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { parseOwnLocation } from '@sealpool/client'
import { sha256Digest } from '@sealpool/crypto'
import { ownCopies } from '../own-copy/own-copies.js'
import { require, same } from './port-case.js'
import {
  casesOf,
  changedAt,
  type ProtocolCase,
  type ProtocolCases,
  placesIn,
  protocolWorld,
} from './protocol-case.js'

type Answers = (request: IncomingMessage, response: ServerResponse) => void

const file = new TextEncoder().encode('a sealed file of an owner')
const hex = sha256Digest(file).slice(7)
const maximumBytes = 100

/** An owner's store that answers as each case says. */
async function ownStore() {
  let answers: Answers = () => undefined
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    answers(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    port,
    asked: () => asked,
    async get(answer: Answers): Promise<Uint8Array> {
      answers = answer
      return ownCopies({ patienceSeconds: 1, privateNetworks: true }).get(
        locationOf(`http://127.0.0.1:${port}/${hex}`),
        {
          maximumBytes,
        },
      )
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

function locationOf(text: string) {
  const location = parseOwnLocation(text)
  if (location === undefined) throw Object.assign(new Error('it is no location'), { code: 'NO_LOCATION' })
  return location
}

/** @returns the cases, and what ends their server */
export async function ownCopiesCases(): Promise<ProtocolCases> {
  const world = protocolWorld(ownStore)
  const { valid, hostile } = casesOf('own copies', 'node')
  const given = (title: string, answers: Answers) =>
    valid(title, async () =>
      require(same(await (await world.open()).get(answers), file), 'it is another file'),
    )
  const refused = (code: string, title: string, answers: Answers) =>
    hostile(title, [code], async () => (await world.open()).get(answers))
  const status =
    (code: number, headers: Record<string, string> = {}): Answers =>
    (_, response) =>
      response.writeHead(code, headers).end(file)
  const raw =
    (text: string): Answers =>
    (request) =>
      request.socket.end(text)
  /** Neither the name is looked up nor the address asked. */
  const notAsked = (title: string, text: (port: number) => string, code = 'BLOB_MISSING') =>
    hostile(title, [code], async () => {
      const { port, asked } = await world.open()
      const before = asked()
      const guarded = ownCopies({ patienceSeconds: 1, privateNetworks: false }, async () => {
        throw new Error('it was looked up')
      })
      try {
        return await guarded.get(locationOf(text(port)), { maximumBytes })
      } finally {
        require(asked() === before, 'it was asked')
      }
    })
  /** A name that leads elsewhere than it looks. */
  const leads = (title: string, addresses: readonly string[]) =>
    hostile(title, ['BLOB_MISSING'], async () => {
      const { port, asked } = await world.open()
      const before = asked()
      const guarded = ownCopies({ patienceSeconds: 1, privateNetworks: false }, async () => addresses)
      try {
        return await guarded.get(locationOf(`https://owner.example:${port}/${hex}`), { maximumBytes })
      } finally {
        require(asked() === before, 'it was asked')
      }
    })
  const cases: readonly ProtocolCase[] = [
    given('a file that is what the chain says', (_, response) => response.end(file)),
    given('a file that comes in pieces', (_, response) => {
      for (const byte of file) response.write(Uint8Array.of(byte))
      response.end()
    }),
    ...placesIn(file.length, 5).map((at) =>
      refused('BLOB_DIGEST_MISMATCH', `byte ${at} is changed`, (_, response) =>
        response.end(changedAt(file, at)),
      ),
    ),
    refused('BLOB_DIGEST_MISMATCH', 'nothing', (_, response) => response.end()),
    refused('BLOB_DIGEST_MISMATCH', 'a compressed file', (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file)),
    ),
    ...[201, 206, 304, 404, 500].map((code) =>
      refused('BLOB_MISSING', `the file with status ${code}`, status(code)),
    ),
    ...[301, 302, 307, 308].map((code) =>
      refused('BLOB_MISSING', `a redirect (${code})`, status(code, { location: `/${hex}` })),
    ),
    refused('BLOB_TOO_LARGE', 'a length that is too large', (_, response) =>
      response.writeHead(200, { 'content-length': '101' }).write('x'),
    ),
    refused('BLOB_TOO_LARGE', 'more than it may be, in chunks', (_, response) => {
      for (let chunk = 0; chunk < 11; chunk += 1) response.write('x'.repeat(10))
    }),
    refused('BLOB_MISSING', 'less than it announces', raw('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')),
    refused('BLOB_MISSING', 'a change to another protocol', (request) =>
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ),
    refused(
      'BLOB_MISSING',
      'two lengths of one answer',
      raw('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    ),
    refused('BLOB_MISSING', 'large headers', status(200, { big: 'x'.repeat(20_000) })),
    refused('BLOB_MISSING', 'what is no HTTP', raw('nonsense\r\n\r\n')),
    notAsked('this machine', (port) => `https://127.0.0.1:${port}/${hex}`),
    notAsked('this machine as one number', (port) => `https://2130706433:${port}/${hex}`),
    notAsked('this machine in hexadecimal', (port) => `https://0x7f.1:${port}/${hex}`),
    notAsked('this machine in octal', (port) => `https://0177.0.0.1:${port}/${hex}`),
    notAsked('this machine in IPv6', (port) => `https://[::1]:${port}/${hex}`),
    notAsked('this machine as IPv4 in IPv6', (port) => `https://[::ffff:127.0.0.1]:${port}/${hex}`),
    notAsked('this machine through NAT64', (port) => `https://[64:ff9b::7f00:1]:${port}/${hex}`),
    notAsked('this machine through 6to4', (port) => `https://[2002:7f00:1::]:${port}/${hex}`),
    notAsked('every address', (port) => `https://0.0.0.0:${port}/${hex}`),
    notAsked('a cloud’s own service', () => `https://169.254.169.254/${hex}`),
    notAsked('an address without TLS', (port) => `http://owner.example:${port}/${hex}`),
    notAsked('a port of another service', () => `https://owner.example:22/${hex}`),
    notAsked('a user in the address', (port) => `https://me@127.0.0.1:${port}/${hex}`, 'NO_LOCATION'),
    notAsked('another scheme', () => `ftp://owner.example/${hex}`, 'NO_LOCATION'),
    notAsked('an address without a digest', () => 'https://owner.example/file', 'NO_LOCATION'),
    leads('a name of this machine', ['127.0.0.1']),
    leads('a name of this machine in IPv6, and of a private network', [
      '::1',
      '::ffff:127.0.0.1',
      '10.0.0.1',
    ]),
    leads('a name of nobody', []),
  ]
  return { cases, close: world.close }
}
