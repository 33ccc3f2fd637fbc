import { describe, expect, test } from 'vitest'
import { joinPayload, splitPayload } from './payload.js'

const salt = new Uint8Array(32).fill(7)

describe('a committed payload', () => {
  test.each([0, 1, 100])('of %i bytes comes apart as it was joined', (length) => {
    const bytes = new Uint8Array(length).fill(1)
    expect(splitPayload(joinPayload(salt, bytes))).toEqual({ salt, bytes })
  })

  test('refuses a salt of another length', () => {
    expect(() => joinPayload(new Uint8Array(31), new Uint8Array())).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_INVALID' }),
    )
  })

  test('refuses bytes too short to hold a salt', () => {
    expect(() => splitPayload(new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_INVALID' }),
    )
  })
})
