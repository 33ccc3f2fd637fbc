import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordChunks } from '../source/record-chunks.js'
import { createPieceMemory, filePieces } from './file-pieces.js'
import { openFile } from './file-source.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-pieces-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function outcome(
  pieces: AsyncIterable<Uint8Array>,
  after: (piece: Uint8Array) => void = () => undefined,
) {
  const texts: string[] = []
  try {
    for await (const piece of pieces) {
      texts.push(Buffer.from(piece).toString('latin1'))
      after(piece)
    }
    return texts
  } catch (error) {
    const { code, place } = error as { readonly code?: unknown; readonly place?: unknown }
    return [...texts, code, place]
  }
}

test.each([
  ['nothing', ''],
  ['one line without its end', 'abc'],
  ['lines', 'abc\n'.repeat(100)],
  ['a last line without its end', `${'abc\n'.repeat(100)}x`],
  ['line feeds in quotes', '"a\nb",c\n'.repeat(50)],
  ['a quote that never closes', `a\n"${'b\n'.repeat(50)}`],
  ['lines longer than a piece', `${'x'.repeat(70)}\n${'y'.repeat(30)}\nz\n`],
  ['a line longer than twice the limit', `a\nb\n${'x'.repeat(700)}\n`],
  ['a last line longer than twice the limit', `a\nb\n${'x'.repeat(700)}`],
])('a file with %s is cut as a stream of the same chunks is', async (name, text) => {
  const path = join(folder, name)
  await writeFile(path, text)
  const file = await openFile(path)
  for (const quoted of [true, false]) {
    for (const pieceBytes of [1, 7, 16, 1000]) {
      const options = { quoted, pieceBytes, recordBytes: 300 }
      // Each piece's memory is used again for one of the next, and overwritten at once.
      const memory = createPieceMemory(2)
      const cut = await outcome(filePieces(file, 0, options, memory), (piece) => {
        piece.fill(0x2a)
        memory.give(piece.buffer as ArrayBuffer)
      })
      expect(cut).toEqual(await outcome(recordChunks(file.stream(pieceBytes), options)))
    }
  }
  await file.close()
})

test.each([
  ['a\nb\n', 'line 3'],
  ['"a\nb"\r\n', 'line 3'],
  ['', 'line 1'],
  [`${'long line\n'.repeat(300_000)}`, 'line 300001'],
])('a record that is too long is told by the line that it begins in, %#', async (before, place) => {
  const path = join(folder, 'long')
  await writeFile(path, `\ufeff${before}"${'x\n'.repeat(400)}`)
  const file = await openFile(path)
  const options = { quoted: true, pieceBytes: 1000, recordBytes: 300 }
  const pieces = filePieces(file, 3, options, createPieceMemory(2))
  expect((await outcome(pieces)).slice(-2)).toEqual(['LIMIT_EXCEEDED', place])
  const chunks = recordChunks(file.stream(1 << 16), { ...options, pieceBytes: 1 << 20 })
  expect((await outcome(chunks)).slice(-2)).toEqual(['LIMIT_EXCEEDED', place])
  await file.close()
})

test('memory is used again where it is large enough, and only so much is kept', () => {
  const memory = createPieceMemory(1)
  const [small, large] = [new ArrayBuffer(8), new ArrayBuffer(16)]
  memory.give(large)
  memory.give(small)
  expect(memory.take(16).buffer).toBe(large)
  expect(memory.take(8).buffer).not.toBe(small)
  memory.give(small)
  // A quarter more.
  expect(memory.take(9)).toHaveLength(11)
})
