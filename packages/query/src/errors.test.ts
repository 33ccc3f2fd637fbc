import { describe, expect, it } from 'vitest'
import { QueryError, queryErrorCodes } from './errors.js'

describe('errors', () => {
  it('say what, where and what to do, for every code', () => {
    for (const code of queryErrorCodes) {
      expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/)
      const error = new QueryError(code, { start: 3, end: 9 })
      expect(error.place).toBe('characters 3-9')
      expect(error.message).toContain('(characters 3-9)')
      expect(error.message.endsWith(error.remedy)).toBe(true)
      expect(error.remedy.length).toBeGreaterThan(10)
    }
  })

  it('have texts of their own', () => {
    const messages = queryErrorCodes.map((code) => new QueryError(code, 'x').message)
    expect(new Set(messages).size).toBe(messages.length)
  })
})
