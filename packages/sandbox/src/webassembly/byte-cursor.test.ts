import { expect, test } from 'vitest'
import { byteCursor } from './byte-cursor.js'
import { byteWriter } from './byte-writer.js'

test('numbers are read to their last byte, and refused past five and ten of them', () => {
  const read = (...bytes: readonly number[]) => byteCursor(Uint8Array.from(bytes)).whole()
  expect(read(0)).toBe(0)
  expect(read(0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(2 ** 32 - 1)
  expect(() => read(0x80, 0x80, 0x80, 0x80, 0x80, 0)).toThrow(RangeError)
  expect(() => read(0x80)).toThrow(RangeError)
  const skip = (count: number) => {
    const cursor = byteCursor(Uint8Array.from([...Array(count).fill(0x80), 0, 7]))
    cursor.skipSigned()
    return cursor.byte()
  }
  expect(skip(9)).toBe(7)
  expect(() => skip(10)).toThrow(RangeError)
})

test('nothing is read past the end', () => {
  const cursor = byteCursor(Uint8Array.of(1, 2, 3))
  expect(cursor.take(2)).toEqual(Uint8Array.of(1, 2))
  expect(() => cursor.take(2)).toThrow(RangeError)
  expect(cursor.byte()).toBe(3)
  expect(() => cursor.byte()).toThrow(RangeError)
  expect(cursor.take(0)).toHaveLength(0)
})

test('what is written is read again, also past the room that was there at first', () => {
  const out = byteWriter(1)
  out.append(new Uint8Array(300).fill(9))
  const at = out.padded(1)
  for (const value of [0, 127, 128, 2 ** 32 - 1]) out.whole(value)
  out.setPadded(at, 2 ** 31)
  const cursor = byteCursor(out.done())
  expect(cursor.take(300).every((byte) => byte === 9)).toBe(true)
  expect([1, 2, 3, 4, 5].map(() => cursor.whole())).toEqual([2 ** 31, 0, 127, 128, 2 ** 32 - 1])
  expect(cursor.at).toBe(cursor.end)
})
