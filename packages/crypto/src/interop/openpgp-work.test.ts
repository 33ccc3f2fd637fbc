import { describe, expect, test } from 'vitest'
import { requireModestWork } from './openpgp-work.js'

/** A packet in the new format. */
const packet = (tag: number, body: readonly number[]) => [0xc0 | tag, body.length, ...body]
const salt = Array.from({ length: 16 }, (_, index) => index)
const argon = (passes: number, lanes: number, memory: number) =>
  packet(3, [4, 9, 4, ...salt, passes, lanes, memory, 1, 2])
const iterated = packet(3, [4, 9, 3, 8, ...salt.slice(0, 8), 255])
const data = packet(18, [1, ...salt])
const judge = (...packets: readonly (readonly number[])[]) =>
  requireModestWork(Uint8Array.from(packets.flat()))
const refused = expect.objectContaining({ code: 'OPENPGP_REFUSED' })

describe('the work that an OpenPGP file asks for', () => {
  test.each([
    ['one password', [iterated, data]],
    ['two passwords', [iterated, iterated, data]],
    ['modest Argon2', [argon(4, 4, 16), data]],
    ['the old packet format', [[0x8c, iterated.length - 2, ...iterated.slice(2)], data]],
    ['a key packet of version 6', [packet(3, [6, 20, 9, 2, 12, 3, 8, ...salt.slice(0, 8), 255]), data]],
  ])('is fine with %s', (_name, packets) => {
    expect(() => judge(...packets)).not.toThrow()
  })

  test.each([
    ['no password', [data]],
    ['nothing', []],
    ['text', [[0x2d, 0x2d]]],
    ['a key packet that runs past the end', [iterated.slice(0, 5)]],
    ['three passwords', [iterated, iterated, iterated, data]],
    ['Argon2 over a gibibyte', [argon(1, 1, 20), data]],
    ['Argon2 in 255 passes', [argon(255, 1, 10), data]],
    ['Argon2 in many lanes', [argon(1, 255, 10), data]],
    ['Argon2 in the second packet', [iterated, argon(1, 1, 20), data]],
    ['Argon2 cut short', [packet(3, [4, 9, 4, 1]), data]],
    ['an unknown derivation', [packet(3, [4, 9, 7, ...salt]), data]],
    ['an unknown version', [packet(3, [9, 9, 4, ...salt, 1, 1, 20]), data]],
    ['Argon2 in version 5', [packet(3, [5, 9, 2, 4, ...salt, 1, 1, 20]), data]],
    ['Argon2 in version 6', [packet(3, [6, 30, 9, 2, 20, 4, ...salt, 1, 1, 20]), data]],
    [
      'Argon2 in a packet with a length of five bytes',
      [[0xc3, 255, 0, 0, 0, 22, 4, 9, 4, ...salt, 1, 1, 20], data],
    ],
    ['a marker that hides another password', [iterated, packet(10, [80, 71, 80]), argon(1, 1, 17), data]],
    ['padding that hides another password', [iterated, packet(21, [1, 2, 3]), argon(1, 1, 17), data]],
    ['a public key packet between', [iterated, packet(1, [3, 1, 2]), iterated, data]],
    ['an unknown packet between', [iterated, packet(60, [1]), iterated, data]],
    ['passwords alone', [iterated]],
    ['another packet behind the data', [iterated, data, argon(1, 1, 17)]],
    ['data that runs past the end', [iterated, data.slice(0, 8)]],
    ['data without an integrity check', [iterated, packet(9, [1, ...salt])]],
  ])('is refused with %s', (_name, packets) => {
    expect(() => judge(...packets)).toThrow(refused)
  })
})
