import { describe, expect, it } from 'vitest'
import { singleUse } from './single-use.js'

describe('what may be used once', () => {
  it('is remembered for its time, and can be given back', () => {
    let now = 0
    const used = singleUse({ capacity: 10, now: () => now })
    expect([used.take('a', 5), used.take('a', 5)]).toEqual(['taken', 'repeated'])
    used.release('a')
    expect(used.take('a', 5)).toBe('taken')
    now = 5
    expect(used.take('a', 5)).toBe('repeated')
  })

  it('is refused rather than forgotten when there is no room, and what is over makes room', () => {
    let now = 0
    const used = singleUse({ capacity: 2, now: () => now })
    used.take('a', 5)
    used.take('b', 9)
    expect(used.take('c', 9)).toBe('full')
    expect(used.take('a', 5)).toBe('repeated')
    now = 6
    expect(used.take('c', 9)).toBe('taken')
    expect(used.take('b', 9)).toBe('repeated')
  })
})
