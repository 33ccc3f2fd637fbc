import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, frameDecoder, secretMark } from './frame.js'

describe('a secret in a message', () => {
  it('is read as its base64, of any length, and overwritten once it was read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.string(), (secret, word) => {
        const frame = encodeFrame({ word, key: secretMark, after: [word] }, secret)
        const text = Buffer.from(secret).toString('base64')
        expect(Buffer.from(frame).includes(text)).toBe(true)
        expect(frameDecoder()(frame)).toEqual([{ word, key: text, after: [word] }])
        expect(frame.every((byte) => byte === 0)).toBe(true)
      }),
    )
  })

  it('needs a place', () => {
    expect(() => encodeFrame({ key: `"${secretMark}"` }, new Uint8Array(32))).toThrow(RangeError)
  })
})

describe('frames', () => {
  it('carry messages however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)))
          const decode = frameDecoder()
          const received: unknown[] = []
          let offset = 0
          for (let turn = 0; offset < bytes.length; turn += 1) {
            const length = cuts[turn % cuts.length] ?? 1
            received.push(...decode(bytes.subarray(offset, offset + length)))
            offset += length
          }
          expect(received).toEqual(messages.map((message) => JSON.parse(JSON.stringify(message))))
        },
      ),
    )
  })

  it('refuse a length beyond the limit before anything is kept for it', () => {
    const decode = frameDecoder()
    expect(() => decode(Uint8Array.from([0xff, 0xff, 0xff, 0xff]))).toThrow(RangeError)
  })
})
