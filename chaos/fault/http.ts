/** Hostile requests to the node's API while it works: a short mix; the whole list is `api/hostile-http.test.ts` of the node. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { FaultReport } from '../fault-report.js'
import type { Scene } from '../scene.js'

const smuggled = 'GET /v1/health HTTP/1.1\r\nHost: node\r\n\r\n'
const post = (headers: string, body: string): string =>
  `POST /v1/plan HTTP/1.1\r\nHost: node\r\nConnection: close\r\n${headers}\r\n${body}`

/** Bytes to send, and the only status lines that may come back. */
const requests: readonly (readonly [string, string | Buffer, readonly string[]])[] = [
  [
    'a length and chunks',
    post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
    ['400'],
  ],
  ['two lengths', post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n`, smuggled), ['400']],
  ['a space before a colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`), ['400']],
  [
    'a header of 1 MB',
    `GET /v1/health HTTP/1.1\r\nHost: node\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n`,
    ['431', ''],
  ],
  [
    '10,000 headers',
    `GET /v1/health HTTP/1.1\r\nHost: node\r\n${'X: 1\r\n'.repeat(10_000)}\r\n`,
    ['431', ''],
  ],
  ['a body of 1 GB, announced', post('Content-Length: 1000000000\r\n', '{'), ['413', '']],
  [
    'a packed body of 100 MB',
    Buffer.concat([
      Buffer.from(post(`Content-Encoding: gzip\r\nContent-Length: ${bomb().length}\r\n`, '')),
      bomb(),
    ]),
    ['415', ''],
  ],
  ['JSON that is nested 100,000 deep', deep(), ['400', '413']],
  ['no words of HTTP', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), ['400', '']],
]

function bomb(): Buffer {
  return gzipSync(Buffer.alloc(100_000_000))
}

function deep(): string {
  const body = `{"manifest":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  return post(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`, body)
}

/** Sends the mix and holds slow connections open all the while. */
export async function httpFault(
  scene: Scene,
  options: { readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const port = Number(new URL(await scene.node().url).port)
  const slow = Array.from({ length: 200 }, () => open(port))
  for (const socket of slow) socket.write('POST /v1/plan HTTP/1.1\r\nHost: node\r\nX-A: ')
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('a')
  }, 200)
  await scene.workload.contribute(2)
  await scene.workload.job()
  for (const [what, bytes, allowed] of requests) {
    const answer = await raw(port, bytes)
    const statuses = (answer.match(/^HTTP\/1\.1 (\d{3})/gm) ?? []).map((status) => status.slice(-3))
    if (statuses.length > 1 || !allowed.includes(statuses[0] ?? '')) {
      breaches.push(`${what}: answered ${statuses.join(', ') || 'nothing'}`)
    }
    try {
      const { ok } = (await scene.ask('/v1/health')) as { ok?: boolean }
      if (ok !== true) breaches.push(`after ${what} the node is not healthy`)
    } catch (error) {
      breaches.push(
        `after ${what} the node does not answer: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
  const open200 = slow.filter((socket) => !socket.destroyed).length
  clearInterval(drip)
  for (const socket of slow) socket.destroy()
  if (!scene.node().isRunning()) {
    breaches.push('the node ended')
    scene.launch()
    await scene.ready()
  }
  await sleep(50)
  options.say(`hostile HTTP: ${requests.length} requests, ${slow.length} slow connections`)
  return {
    fault: 'hostile HTTP',
    injected: requests.length + slow.length,
    notes: [
      `${requests.length} requests of ${requests.length} kinds`,
      `${slow.length} connections that send a byte every 200 ms; ${open200} of them were still open at the end`,
    ],
    breaches,
  }
}

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  // The node may cut it off whenever it likes.
  socket.on('error', () => undefined)
  socket.resume()
  return socket
}

async function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // Cut off is an answer too: what came before is looked at.
  socket.on('error', () => undefined)
  socket.on('data', (part) => {
    answer += part.toString('latin1')
  })
  socket.write(bytes)
  await Promise.race([closed, sleep(3_000)])
  socket.destroy()
  return answer
}
