import { expect, test } from 'vitest'
import { createColumn } from './column-batch.js'
import { createPendingColumn } from './pending-column.js'

const step = (hash: number, byte: number) => Math.imul(hash ^ byte, 0x01000193)

/** 2^stages texts of one length and one FNV-1a hash: from each state two blocks that lead to one next state (Joux, 2004). */
function collidingTexts(stages: number): Uint8Array[] {
  let texts = [new Uint8Array()]
  let state = 0x811c9dc5
  for (let stage = 0; stage < stages; stage += 1) {
    const seen = new Map<number, number>()
    const bytesOf = (value: number) =>
      Uint8Array.from([18, 12, 6, 0], (shift) => 33 + ((value >> shift) & 63))
    for (let block = 0; block < 2 ** 24; block += 37) {
      let hash = state
      for (const byte of bytesOf(block)) hash = step(hash, byte)
      const other = seen.get(hash)
      if (other === undefined) {
        seen.set(hash, block)
        continue
      }
      const pair = [bytesOf(other), bytesOf(block)]
      texts = texts.flatMap((text) => pair.map((end) => Uint8Array.from([...text, ...end])))
      state = hash
      break
    }
  }
  return texts
}

test('texts made to have one hash keep their own values, and only a few of them are compared byte by byte', () => {
  const column = createColumn('name', { type: 'text', description: 'd' }, 64, 64)
  const pending = createPendingColumn(column, { from: 'name', by: 'own' }, 64)
  const texts = collidingTexts(5)
  expect(new Set(texts.map(String)).size).toBe(32)
  const taken = texts.map((text, row) => pending.read(text, 0, text.length, row))
  expect(taken.filter(Boolean)).toHaveLength(16)
  expect(taken.slice(16)).toEqual(Array(16).fill(false))
  // What was not taken is asked for by its text, which gives it a number of its own.
  const decoder = new TextDecoder()
  const codes = texts.map((text) => pending.codeOf(decoder.decode(text)))
  expect(codes).toEqual(texts.map((_, index) => index))
  expect(pending.values).toEqual(texts.map((text) => decoder.decode(text)))
})

test('an empty text is no value, like a null', () => {
  const column = createColumn('name', { type: 'text', description: 'd' }, 4, 16)
  const pending = createPendingColumn(column, { from: 'name', by: 'own' }, 4)
  expect(pending.read(new Uint8Array(), 0, 0, 0)).toBe(true)
  expect(pending.read(Uint8Array.of(0x61), 0, 1, 1)).toBe(true)
  expect(pending.codeOf(null)).toBe(pending.codes[0])
  expect(pending.values).toEqual([null, 'a'])
})
