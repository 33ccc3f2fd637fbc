import { sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { sendFiles } from './send-files.js'
import type { TransferChunk, TransferState } from './serve-hand-off.js'
import { chunkBytes, chunkCount } from './transfer-files.js'
import type { RefusedCall } from './transfer-line.js'

const contents = [new Uint8Array(10).fill(1), new Uint8Array(9 * chunkBytes + 1).fill(2)]
const list = contents.map((bytes) => ({ bytes: bytes.length, digest: sha256Digest(bytes) }))

/** The other side: keeps what it is given. */
function receiver(refuse: (chunk: TransferChunk) => RefusedCall | undefined = () => undefined) {
  const got = contents.map((bytes) => new Uint8Array(bytes.length))
  const missing = list.flatMap((file, index) =>
    Array.from({ length: chunkCount(file) }, (_, chunk): [number, number] => [index, chunk]),
  )
  let chunks = 0
  let most = 0
  let under = 0
  const state = (): TransferState =>
    missing.length === 0 ? { state: 'running' } : { state: 'receiving', missing: missing.slice(0, 6) }
  return {
    got,
    state,
    counts: () => ({ chunks, most }),
    line: {
      status: async () => state(),
      async chunk(chunk: TransferChunk): Promise<TransferState | RefusedCall> {
        chunks += 1
        under += 1
        most = Math.max(most, under)
        await Promise.resolve()
        under -= 1
        const refused = refuse(chunk)
        if (refused !== undefined) return refused
        expect(sha256Digest(chunk.bytes)).toBe(chunk.digest)
        got[chunk.file]?.set(chunk.bytes, chunk.index * chunkBytes)
        const at = missing.findIndex(([file, index]) => file === chunk.file && index === chunk.index)
        if (at >= 0) missing.splice(at, 1)
        return state()
      },
    },
  }
}
const never = async (): Promise<never> => {
  throw new Error('not asked here')
}
const send = (
  { line, state }: ReturnType<typeof receiver>,
  goOn: () => boolean = () => true,
): Promise<TransferState | RefusedCall> =>
  sendFiles({
    line,
    transfer: 'x',
    list,
    state: state(),
    read: async (file, offset, length) => contents[file]?.slice(offset, offset + length) ?? new Uint8Array(),
    goOn,
  })

describe('the files of a transfer', () => {
  it('are sent whole, each chunk once, four at a time', async () => {
    const other = receiver()
    expect(await send(other)).toEqual({ state: 'running' })
    expect(other.got).toEqual(contents)
    expect(other.counts()).toEqual({ chunks: 11, most: 4 })
  })

  it('are sent for as long as there is time, and from there on the next time', async () => {
    const other = receiver()
    let times = 0
    const first = await send(other, () => times++ < 1)
    expect(first).toMatchObject({ state: 'receiving' })
    expect(other.counts().chunks).toBe(4)
    expect(await send(other)).toEqual({ state: 'running' })
    expect(other.counts().chunks).toBe(11)
    expect(other.got).toEqual(contents)
  })

  it('are not sent on when a chunk is refused', async () => {
    const other = receiver(({ index }) => (index === 5 ? { refused: 'HAND_OFF_DIFFERS' } : undefined))
    expect(await send(other)).toEqual({ refused: 'HAND_OFF_DIFFERS' })
    expect(other.counts().chunks).toBeLessThan(11)
  })

  it('are none when none is missing: nothing is asked', async () => {
    const line = { chunk: never, status: never }
    const state: TransferState = { state: 'receiving', missing: [] }
    expect(await sendFiles({ line, transfer: 'x', list, state, read: never, goOn: () => true })).toBe(state)
  })

  it('are not sent on when the other node refuses to say what is missing', async () => {
    const { line } = receiver()
    const refused = { refused: 'HAND_OFF_UNKNOWN' }
    const deaf = { ...line, status: async () => refused }
    const read = async (_: number, __: number, length: number) => new Uint8Array(length).fill(1)
    const asked = { line: deaf, transfer: 'x', list: list.slice(0, 1), read, goOn: () => true }
    expect(await sendFiles({ ...asked, state: { state: 'receiving', missing: [[0, 0]] } })).toEqual(refused)
  })

  it.each([[[2, 0]], [[0, 1]], [[1, 10]]] as const)(
    'chunk %j was not promised, and nothing is read for it',
    async (chunk) => {
      const other = receiver()
      let read = 0
      const answer = await sendFiles({
        line: other.line,
        transfer: 'x',
        list,
        state: { state: 'receiving', missing: [chunk] },
        read: async () => {
          read += 1
          return new Uint8Array()
        },
        goOn: () => true,
      })
      expect([answer, read]).toEqual([{ refused: 'HAND_OFF_CHUNK' }, 0])
    },
  )
})
