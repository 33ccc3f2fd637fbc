import { describe, expect, test } from 'vitest'
import { inUsualWords, simulatedLetter } from '../testing/farm-fixtures.js'
import { drawsOf } from '../testing/screen-fixtures.js'
import { contentItems } from './content-items.js'
import { contentSketch } from './content-sketch.js'
import { courseSketch } from './course-novelty.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'
import { novelty } from './novelty.js'
import { rareWords } from './rare-words.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(5)
const text = (words: readonly string[]) =>
  contentItems({ mediaType: 'text/plain', bytes: new TextEncoder().encode(words.join(' ')) })

/** How new each text is when it comes, with the index of words and without it. SIMULATED: words are made up. */
function noveltiesOf(texts: readonly (readonly string[])[]) {
  const [near, rows, courses] = [
    createNearDuplicateIndex(),
    createRowIndex({ key }),
    createNearDuplicateIndex(),
  ]
  return texts.map((words) => {
    const content = text(words)
    const found = {
      withWords: novelty({ key, content, near, rows, courses }),
      without: novelty({ key, content, near, rows }),
    }
    near.add(contentSketch({ key, ...content }))
    rows.add(content)
    const sketch = courseSketch({ key, ...content })
    if (sketch !== undefined) courses.add(sketch)
    return found
  })
}

describe('a copy in other words is not new', () => {
  test.each([0.15, 0.2, 0.25, 0.3])('with %s of its words changed', (share) => {
    const draw = drawsOf(3)
    const letter = simulatedLetter(1)
    const found = noveltiesOf([
      letter,
      ...Array.from({ length: 8 }, () => inUsualWords(draw, letter, share)),
    ]).slice(1)
    // The index finds 98 of 100 such copies.
    expect(found.filter(({ withWords }) => withWords >= 0.3).length).toBeLessThanOrEqual(1)
    expect(found.filter(({ without }) => without < 0.3)).toEqual([])
  })
})

describe('honest texts lose nothing by it', () => {
  const many = (make: (at: number) => readonly string[]) => Array.from({ length: 14 }, (_, at) => make(at))
  const topic = (seed: number) => {
    const draw = drawsOf(seed)
    // A third of the words are of a hundred that belong to what all of them write about.
    return simulatedLetter(seed).map((word) => (draw() < 1 / 3 ? `topical${Math.floor(draw() * 100)}` : word))
  }
  const footer = simulatedLetter(9).slice(0, 200)
  const first = simulatedLetter(8).slice(0, 250)
  const invoice = (seed: number) =>
    simulatedLetter(7).flatMap((word, at) =>
      at % 5 === 4
        ? [`${(seed * 7919 + at * 31) % 9973}`]
        : at % 10 === 7
          ? [`article${(seed * 31 + at) % 997}`]
          : [word],
    )
  test.each<[string, readonly (readonly string[])[]]>([
    ['letters', many((at) => simulatedLetter(100 + at))],
    ['letters on one topic', many((at) => topic(200 + at))],
    [
      'newsletters with one footer, as long as what is above it',
      many((at) => [...simulatedLetter(300 + at).slice(0, 200), ...footer]),
    ],
    ['replies that quote one letter', many((at) => [...simulatedLetter(400 + at).slice(0, 150), ...first])],
    ['invoices of one shop', many((at) => invoice(500 + at))],
    ['short letters', many((at) => simulatedLetter(600 + at).slice(0, 40))],
  ])('%s', (_, texts) => {
    for (const { withWords, without } of noveltiesOf(texts)) expect(withWords).toBe(without)
  })
})

describe('rare words', () => {
  const words = Array.from({ length: 40 }, (_, at) => `longword${at}`)
  test('are distinct and long', () => {
    expect(rareWords([...words, ...words, 'short'])).toEqual(words)
  })
  test('are none of a text with few of them', () => {
    expect(rareWords(words.slice(0, 29))).toEqual([])
    expect(rareWords(words.slice(0, 30))).toHaveLength(30)
  })
  test('are none of a form, where a tenth is numbers', () => {
    expect(rareWords([...words, ...Array.from({ length: 5 }, (_, at) => `${at}`)])).toEqual([])
    expect(rareWords([...words, '1', '2', '3', '4'])).toHaveLength(40)
  })
  test('have no course: rows have no words', () => {
    expect(text(words).words).toEqual(words)
    expect(courseSketch({ key, items: ['day\u001f1'] })).toBeUndefined()
  })
})
