import { describe, expect, it } from 'vitest'
import type { Check } from '../verdict/check-list.js'

/** How each answer of one question comes about; a string says why there is no such case. */
export interface Row {
  readonly fail: (() => readonly Check[]) | string
  readonly notChecked: (() => readonly Check[]) | string
}
/** A verifier with a case for every answer of every question. */
export interface Verifier {
  readonly titles: Readonly<Record<string, string>>
  /** Every question passes; those that cannot are named in `neverPasses`. */
  readonly good: () => readonly Check[]
  readonly rows: Readonly<Record<string, Row>>
}

/** Why a question is never left open. */
export const own = 'It looks at nothing that could be missing.'
/** Why a question is never left open, or never fails. */
export const asked = 'It asks whether something can be read at all.'

const answerOf = (checks: readonly Check[], id: string) => checks.find((check) => check.id === id)

/** Plain words: a sentence without holes, leftovers of a program or values that could not be told. */
export const plain = /^(?!.*(?:undefined|NaN|\[object|null\b)).*[a-zA-Z]{2,}.*$/s

/**
 * Shows every question of a verifier passing, failing and, where that exists, not made.
 *
 * @param name of the verifier
 * @param verifier its titles, a good case, and a row for each question
 */
export function checkTable(name: string, { titles, good, rows }: Verifier): void {
  describe(`every check of ${name}`, () => {
    it('has a row, a title in words, and passes for good evidence', () => {
      expect(Object.keys(rows).sort()).toEqual(Object.keys(titles).sort())
      const checks = good()
      for (const [id, title] of Object.entries(titles)) {
        const { result, detail } = answerOf(checks, id) ?? {}
        expect({ id, result, detail }).toMatchObject({ id, result: 'pass' })
        expect(detail).toMatch(plain)
        expect(title).toMatch(/^[A-Z].{9,}$/)
      }
    })

    const cases = Object.entries(rows).flatMap(([id, row]) => [
      [id, 'fail', row.fail] as const,
      [id, 'not-checked', row.notChecked] as const,
    ])
    it.each(cases.filter(([, , ask]) => typeof ask !== 'string'))('%s: %s', (id, want, ask) => {
      if (typeof ask === 'string') return
      const { result, detail } = answerOf(ask(), id) ?? {}
      expect({ id, result, detail }).toMatchObject({ id, result: want })
      expect(detail).toMatch(plain)
    })
  })
}
