// `node stream-child.mjs seal|open|range FILE BYTES`: one piece of work on a large file, in a process of its own so that its
// peak memory is its own. Prints one line of JSON.
import { existsSync, readFileSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { derivePoolKey, hpkeIdentity, hpkeRecipient, openStream, seal, sealedReader } from '@sealpool/crypto'

const [, , task, file, bytes] = process.argv
const size = Number(bytes)
const scope = {
  chainId: 31_337,
  pool: `0x${'ab'.repeat(20)}`,
  policyDigest: `sha256:${'cd'.repeat(32)}`,
  epoch: 1,
}
const key = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope })
const identities = [hpkeIdentity(key)]
const piece = 262_144
/** The byte at some place of the plaintext. */
const byteAt = (offset) => (offset / piece) & 255

/** Peak resident set since this program began; ru_maxrss would carry over the parent's. */
const peak = () =>
  existsSync('/proc/self/status')
    ? Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    : process.resourceUsage().maxRSS
const before = peak()
const started = performance.now()
const result = await { seal: sealFile, open: openFile, range: openRanges }[task]()
console.log(
  JSON.stringify({
    seconds: (performance.now() - started) / 1000,
    startKibibytes: before,
    peakKibibytes: peak(),
    ...result,
  }),
)

async function sealFile() {
  let made = 0
  const buffer = new Uint8Array(piece)
  // One buffer here as well; its pieces are read when their write settles.
  const source = new ReadableStream(
    {
      pull(controller) {
        if (made >= size) return controller.close()
        controller.enqueue(buffer.subarray(0, size - made).fill(byteAt(made)))
        made += piece
      },
    },
    { highWaterMark: 0 },
  )
  const commitment = `sha256:${'ef'.repeat(32)}`
  const context = { ...scope, commitment, mediaType: 'application/octet-stream' }
  const sealing = seal({ recipients: [hpkeRecipient(key)], context })
  // Not Writable.toWeb: in Node 20 it keeps what it was given until the end, whoever writes.
  const handle = await open(file, 'w')
  const sink = new WritableStream({
    async write(chunk) {
      await handle.write(chunk)
    },
    close: () => handle.close(),
  })
  await source.pipeThrough(sealing).pipeTo(sink)
  return {}
}

async function openFile() {
  let read = 0
  const handle = await open(file)
  const buffer = new Uint8Array(piece)
  // One buffer for all reads: a stream of this package has read a piece when its write settles, and nothing is read ahead.
  const source = new ReadableStream(
    {
      async pull(controller) {
        const { bytesRead } = await handle.read(buffer, 0, piece)
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead))
        await handle.close()
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  for await (const chunk of source.pipeThrough(openStream({ identities }))) {
    if (chunk[0] !== byteAt(read - (read % piece))) throw new Error(`another byte at ${read}`)
    read += chunk.length
  }
  if (read !== size) throw new Error(`${read} bytes came out instead of ${size}`)
  return {}
}

async function openRanges() {
  const handle = await open(file)
  const { size: sealedSize } = await stat(file)
  let reads = []
  const source = {
    size: sealedSize,
    async read(offset, length) {
      reads.push(length)
      const buffer = new Uint8Array(length)
      const { bytesRead } = await handle.read(buffer, 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
  }
  const length = 1_048_576
  const cold = []
  const warm = []
  for (let turn = 0; turn < 21; turn++) {
    const start = Math.floor((size - length) * ((turn * 0.618) % 1))
    reads = []
    const begun = performance.now()
    const reader = await sealedReader({ source, identities })
    const part = await reader.read(start, start + length)
    cold.push(performance.now() - begun)
    if (part.length !== length || part[0] !== byteAt(start - (start % piece)))
      throw new Error('another range')
    const again = performance.now()
    await reader.read(start, start + length)
    warm.push(performance.now() - again)
    reads.pop()
  }
  await handle.close()
  const middle = (list) => [...list].sort((one, two) => one - two)[list.length >> 1]
  return {
    openMilliseconds: middle(cold),
    readMilliseconds: middle(warm),
    worst: Math.max(...cold.slice(1)),
    reads,
  }
}
