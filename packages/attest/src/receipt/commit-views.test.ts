import { canonicalBytes, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { seededRandom } from '../testing/fixture.js'
import { commitResult, readResultView } from './commit-views.js'
import type { ResultView } from './result-view.js'

const answer = {
  columns: [{ name: 'sector' }, { name: 'n' }],
  rows: [
    ['farm', 2],
    ['mill', 4],
  ],
  intervals: [
    [null, null],
    [null, null],
  ],
  notes: ['secret-note'],
} satisfies JsonValue
const whole: ResultView = { kind: 'whole' }
const count: ResultView = { kind: 'count' }
const sectors: ResultView = { kind: 'columns', columns: ['sector'] }
const salt = seededRandom('views')(32)
const views = [whole, sectors, count, count, { kind: 'receipt' }] as const
const commitment = commitResult({ answer, views, salt })
const { digest } = commitment
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const parsed = (view: ResultView) => JSON.parse(text(commitment.document(view))) as JsonObject & Opened
interface Opened {
  readonly salt: string
  readonly value: JsonValue
  readonly view: JsonObject
  readonly views: readonly { readonly view: JsonObject; readonly digest: string }[]
}

function problem(document: JsonValue | Uint8Array, expected = digest): string {
  try {
    readResultView(document instanceof Uint8Array ? document : canonicalBytes(document), expected)
    return 'none'
  } catch (error) {
    if (!(error instanceof AttestError) || error.code !== 'BAD_RECEIPT') throw error
    return error.message
  }
}

describe('a commitment to a result and its views', () => {
  it('is one digest, under which every recipient reads his view', () => {
    expect(readResultView(commitment.document(whole), digest)).toEqual({ view: whole, value: answer })
    expect(readResultView(commitment.document(count), digest)).toEqual({ view: count, value: { count: 2 } })
    expect(readResultView(commitment.document(sectors), digest)).toEqual({
      view: sectors,
      value: { columns: [{ name: 'sector' }], rows: [['farm'], ['mill']], intervals: [[null], [null]] },
    })
    expect(parsed(count).views.map(({ view }) => view)).toEqual([whole, sectors, count])
  })

  it('also stands for the whole where nobody gets it, and for nothing that nobody gets', () => {
    const narrow = commitResult({ answer, views: [count, { kind: 'receipt' }], salt })
    const { views: committed } = JSON.parse(text(narrow.document(count))) as Opened
    expect(committed.map(({ view }) => view)).toEqual([whole, count])
    expect(() => narrow.document(sectors)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
    expect(() => narrow.document({ kind: 'receipt' })).toThrow(AttestError)
  })

  it('holds nothing in a narrow view but that view, salt and digests', () => {
    const { value, views: committed, ...rest } = parsed(count)
    expect(value).toEqual({ count: 2 })
    expect(rest).toEqual({ format: 'sealpool/result-view', version: 1, view: count, salt: rest.salt })
    for (const { digest: one, ...view } of committed) {
      expect(one).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(Object.keys(view)).toEqual(['view'])
    }
    for (const word of ['farm', 'mill', 'secret-note']) {
      expect(text(commitment.document(count))).not.toContain(word)
    }
  })

  it('cannot be tried out: who knows a narrow view and the whole answer by guess has no salt to hold it against', () => {
    const { salt: own, views: committed } = parsed(count)
    const [first] = committed
    const guesses = [
      digestOf(answer),
      digestOf({ view: whole, value: answer }),
      digestOf({ view: whole, salt: own, value: answer }),
    ]
    expect(guesses).not.toContain(first?.digest)
    expect(parsed(sectors).salt).not.toBe(own)
    const again = commitResult({ answer, views, salt: seededRandom('others')(32) })
    expect(again.digest).not.toBe(digest)
    expect(text(again.document(count))).not.toBe(text(commitment.document(count)))
  })

  it('lets the holder of the whole find a view of somebody else that the answer does not have', () => {
    const honest = parsed(whole)
    const false3 = { view: count, salt: parsed(count).salt, value: { count: 3 } }
    const swapped = honest.views.map((one) =>
      one.view['kind'] === 'count' ? { ...one, digest: digestOf(false3) } : one,
    )
    const lie = { ...honest, views: swapped } as JsonValue
    const lieDigest = digestOf({ format: 'sealpool/result-views', version: 1, views: swapped as JsonValue })
    expect(problem(lie, lieDigest)).toContain('not of the result')
    // The recipient of that view alone cannot know.
    expect(
      readResultView(canonicalBytes({ ...parsed(count), ...false3, views: swapped } as JsonValue), lieDigest)
        .value,
    ).toEqual({ count: 3 })
  })

  it('has each view once: two recipients of one view cannot be told two things', () => {
    const honest = parsed(count)
    const other = { view: count, salt: honest.salt, value: { count: 9 } }
    const twice = [...honest.views, { view: count, digest: digestOf(other) }]
    const twiceDigest = digestOf({ format: 'sealpool/result-views', version: 1, views: twice as JsonValue })
    for (const document of [
      { ...honest, views: twice },
      { ...honest, ...other, views: twice },
    ]) {
      expect(problem(document as JsonValue, twiceDigest)).toContain('not of the result')
    }
  })

  it.each<[string, (opened: JsonObject & Opened) => JsonValue]>([
    ['another number', (one) => ({ ...one, value: { count: 3 } })],
    ['another salt', (one) => ({ ...one, salt: parsed(sectors).salt })],
    ['another view', (one) => ({ ...one, view: sectors })],
    ['a view that nobody got', (one) => ({ ...one, view: { kind: 'columns', columns: ['n'] } })],
    [
      'another digest of a view',
      (one) => ({ ...one, views: one.views.map((each) => ({ ...each, digest })) }),
    ],
    ['fewer views', (one) => ({ ...one, views: one.views.slice(1) })],
    ['views in another order', (one) => ({ ...one, views: one.views.toReversed() })],
    ['an unknown kind of view', (one) => ({ ...one, view: { kind: 'rows' } })],
    ['a view with a column twice', (one) => ({ ...one, view: { kind: 'columns', columns: ['n', 'n'] } })],
    ['an unknown field', (one) => ({ ...one, more: 1 })],
    ['another version', (one) => ({ ...one, version: 2 })],
    ['no salt', (one) => ({ ...one, salt: '' })],
    ['no views', (one) => ({ ...one, views: [] })],
    ['a plain answer', () => answer],
    ['null', () => null],
  ])('is not read with %s', (_, change) => {
    expect(problem(parsed(count))).toBe('none')
    expect(problem(change(parsed(count)))).not.toBe('none')
  })

  it('is not read from bytes that are not canonical, nor under another digest', () => {
    expect(problem(new TextEncoder().encode(JSON.stringify(parsed(count), null, 1)))).toContain('canonical')
    expect(problem(Uint8Array.of(0xff))).toContain('canonical')
    expect(problem(parsed(count), digestOf('another'))).toContain('not of the result')
  })

  it('is refused with views that the answer does not have, and with another salt than 32 bytes', () => {
    const bad = { kind: 'columns', columns: ['wage'] } as const
    expect(() => commitResult({ answer, views: [{ ...bad, columns: ['wage'] }], salt })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'views' }),
    )
    expect(() => commitResult({ answer, views: [count], salt: salt.slice(1) })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'salt' }),
    )
  })
})
