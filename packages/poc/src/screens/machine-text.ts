import type { Screen } from '../define/screen.js'
import { ramp } from './ramp.js'

/** Texts that are looked at: evenly out of all. */
const MOST_TEXTS = 200
/** Characters of each that are looked at. */
const MOST_CHARACTERS = 2000
const LEAST_TEXTS = 8
/** Texts of fewer words say nothing of how they were made. */
const LEAST_WORDS = 5
/** How many texts before and behind it a text is held against: more of them share more by chance. */
const NEIGHBOURS = 10

/** Places of the words of one text. */
type Words = readonly string[]

/**
 * Screens texts of one person for having been made by one template or one prompt: runs of three words that come again from text to text, and
 * texts and sentences that are all of about one length. It knows nothing of meaning or of any language; words are what stands between blanks
 * and ASCII punctuation, so that texts without blanks are not looked at.
 *
 * What it cannot do: tell a fluent text of a model from a person's, where prompts or lengths vary; and it takes forms, notifications and
 * signatures, which honest people have too, for templates. See the README for how often.
 *
 * @param options `texts`: the texts of the value, such as messages or reviews, one by one
 * @returns a screen; null for fewer than 8 texts of 5 words
 */
export function machineText<Value>(options: {
  readonly texts: (value: Value) => readonly string[]
}): Screen<Value> {
  return (value) => {
    const all = options.texts(value)
    const step = Math.max(1, all.length / MOST_TEXTS)
    const texts: string[] = []
    for (let at = 0; Math.floor(at) < all.length; at += step) {
      texts.push(String(all[Math.floor(at)]).slice(0, MOST_CHARACTERS))
    }
    const read = texts.map((text) => ({ text, words: wordsOf(text) }))
    const long = read.filter(({ words }) => words.length >= LEAST_WORDS)
    if (long.length < LEAST_TEXTS) return null
    const words = long.map((one) => one.words)
    const repeated = ramp(repeatedRuns(words), 0.3, 0.5)
    const sentences = long.flatMap(({ text }) => sentenceLengths(text))
    const even = Math.min(
      ramp(variation(words.map(({ length }) => length)), 0.4, 0.3),
      ramp(variation(sentences), 0.6, 0.5),
    )
    return { suspicion: Math.max(repeated, even) }
  }
}

function wordsOf(text: string): Words {
  return text
    .toLowerCase()
    .split(/[\s.,;:!?"'()[\]{}<>/\\|*_=+#-]+/)
    .filter((word) => word !== '')
}

function sentenceLengths(text: string): number[] {
  return text
    .split(/[.!?\n]+/)
    .map((sentence) => wordsOf(sentence).length)
    .filter((length) => length > 0)
}

/** Share of a text's runs of three words that stand in one of its neighbours too, over all texts. */
function repeatedRuns(texts: readonly Words[]): number {
  const where = new Map<string, number[]>()
  const runs = texts.map((words, text) => {
    const own = new Set<string>()
    for (let at = 2; at < words.length; at++) own.add(`${words[at - 2]} ${words[at - 1]} ${words[at]}`)
    for (const run of own) {
      const known = where.get(run)
      if (known === undefined) where.set(run, [text])
      else known.push(text)
    }
    return own
  })
  const count = texts.length
  const isNear = (one: number, other: number): boolean => {
    const distance = Math.abs(one - other)
    return distance > 0 && Math.min(distance, count - distance) <= NEIGHBOURS
  }
  let total = 0
  for (const [text, own] of runs.entries()) {
    let again = 0
    for (const run of own) if (where.get(run)?.some((other) => isNear(text, other))) again++
    total += again / Math.max(1, own.size)
  }
  return total / count
}

/** Standard deviation over mean. */
function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length
  return Math.sqrt(square) / mean
}
