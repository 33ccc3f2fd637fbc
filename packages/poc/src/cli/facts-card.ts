import type { DatasetFacts } from '../dataset-facts/dataset-facts.js'
import { harmless } from './score-card.js'

/**
 * Facts of a dataset for people, a column a line.
 *
 * @param facts verified before: names of columns and words are shown without what could move the cursor
 * @returns lines of text
 */
export function factsCard(facts: DatasetFacts): string {
  const width = Math.max(0, ...facts.columns.map(({ name }) => name.length))
  const lines = [
    `rows      ${facts.rows}`,
    `noise     ${facts.noise === null ? 'none: counts are exact' : `epsilon ${facts.noise.epsilon} in each count`}`,
    ...(facts.span === null ? [] : [`span      ${harmless(`${facts.span.first} to ${facts.span.last}`)}`]),
    '',
    ...facts.columns.map(
      ({ name, kind, nullRate, distinct }) =>
        `${harmless(name).padEnd(width)}  ${kind.padEnd(7)}  ${(nullRate * 100).toFixed(2).padStart(6)} % empty  ${distinct} distinct`,
    ),
  ]
  if (facts.keywords.length > 0)
    lines.push('', ...facts.keywords.map(({ word, people }) => `${harmless(word)}  ${people} people`))
  return `${lines.join('\n')}\n`
}
