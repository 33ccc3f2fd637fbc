import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Counts {
  readonly agree: number
  readonly differ: number
  readonly refused: number
}

const file = fileURLToPath(new URL('../../../../conformance/sql/totals.mjs', import.meta.url))
const { totalsOf } = (await import(pathToFileURL(file).href)) as {
  totalsOf(counts: Readonly<Record<string, Counts>>): {
    readonly lines: readonly string[]
    readonly agree: number
    readonly differ: number
  }
}

describe('totals of conformance sql', () => {
  it('a planner that refuses everything differs by every item that was to be answered', () => {
    const { lines, agree, differ } = totalsOf({
      REJECT: { agree: 77, differ: 0, refused: 0 },
      DP: { agree: 0, differ: 0, refused: 30 },
      SAME: { agree: 0, differ: 0, refused: 16 },
    })
    expect([agree, differ]).toEqual([93, 30])
    expect(lines[1]).toContain('more than 20 of 100')
  })

  it('a fifth may be refused, one more may not', () => {
    expect(totalsOf({ DP: { agree: 24, differ: 0, refused: 6 } })).toMatchObject({ agree: 24, differ: 0 })
    expect(totalsOf({ DP: { agree: 23, differ: 0, refused: 7 } })).toMatchObject({ agree: 23, differ: 7 })
    expect(totalsOf({ DP: { agree: 23, differ: 1, refused: 1 } })).toMatchObject({ agree: 23, differ: 1 })
  })
})
