import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFrameReader, encodeFrame, type Message } from './frame.js'

const read = (chunks: Uint8Array[], longest = 1_000_000): { ok: boolean; messages: Message[] } => {
  const messages: Message[] = []
  const reader = createFrameReader(
    () => longest,
    (message) => messages.push(message),
  )
  return { ok: chunks.every((chunk) => reader.push(chunk)), messages }
}

const cut = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...chunks, bytes.subarray(at)]
}

test('frames come out whole however the stream is cut', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 })
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(40)), (bodies, sizes) => {
      const bytes = Buffer.concat(bodies.map((body, index) => encodeFrame({ index }, body)))
      const { ok, messages } = read(cut(bytes, sizes))
      expect(ok).toBe(true)
      expect(messages.map((message) => message.texts)).toEqual(bodies)
      expect(messages.map((message) => message.head['index'])).toEqual(bodies.map((_, index) => index))
    }),
  )
})

test('any bytes give messages or a refusal, never an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      expect(typeof read(chunks, 100).ok).toBe('boolean')
    }),
    { numRuns: 500 },
  )
})

test('one changed byte gives another message or a refusal, never an exception', () => {
  const frame = encodeFrame({ ok: true, logs: [] }, ['{"a":1}', 'é'])
  for (let index = 0; index < frame.length; index++) {
    for (const bit of [1, 0x80]) {
      const broken = frame.slice()
      broken[index] = (broken[index] ?? 0) ^ bit
      expect(typeof read([broken]).ok).toBe('boolean')
    }
  }
})

test('a length beyond the cap is refused before its bytes come', () => {
  const head = new Uint8Array(8)
  new DataView(head.buffer).setUint32(0, 0xfffffff0)
  expect(read([head], 1000).ok).toBe(false)
})

test.each([
  ['a text longer than the frame', { texts: [9] }, 'abc'],
  ['bytes no text claims', { texts: [1] }, 'abc'],
  ['a negative length', { texts: [-1, 4] }, 'abc'],
  ['a length that is no number', { texts: ['3'] }, 'abc'],
  ['no list of texts', { text: [3] }, 'abc'],
])('a head with %s is refused', (_name, head, body) => {
  const headBytes = new TextEncoder().encode(JSON.stringify(head))
  const frame = new Uint8Array(8 + headBytes.length + body.length)
  new DataView(frame.buffer).setUint32(0, frame.length - 4)
  new DataView(frame.buffer).setUint32(4, headBytes.length)
  frame.set(headBytes, 8)
  frame.set(new TextEncoder().encode(body), 8 + headBytes.length)
  expect(read([frame])).toEqual({ ok: false, messages: [] })
})

test('bytes that are not UTF-8 are refused', () => {
  const frame = encodeFrame({}, ['abc'])
  frame[frame.length - 1] = 0xff
  expect(read([frame]).ok).toBe(false)
})
