/** A proof that says what it pays for: rows with a day, steps and a place, and an account. */
import { definePoc, refuse } from '../define/index.js'

interface Day {
  readonly day: string
  readonly steps: number
  readonly place: string
}

function readDay(row: Partial<Day>): Day {
  const { day, steps, place } = row
  if (typeof day !== 'string' || typeof steps !== 'number' || typeof place !== 'string') {
    return refuse('WRONG_SHAPE', 'rows')
  }
  return { day, steps, place }
}

export default definePoc<{ readonly rows: readonly Day[]; readonly account: string }>({
  id: 'test/steps',
  version: '1',
  input: (raw) => {
    const { rows, account } = raw as { rows: Partial<Day>[]; account?: string }
    return { rows: rows.map(readDay), account: account ?? '' }
  },
  items: ({ rows }) => rows,
  account: ({ account }) => (account === '' ? null : { provider: 'steps.example', account }),
  checks: { enough: ({ rows }) => ({ passed: rows.length >= 7 }) },
  score: { quality: 1, uniqueness: 1 },
})
