import type { PocVerdict } from '../verdict/verdict.js'

const WIDTH = 20
const dimensions = ['authenticity', 'ownership', 'quality', 'uniqueness'] as const
const marks = { pass: '+', partial: '~', fail: '-', 'not-checked': '?', review: '!' } as const

/**
 * Text of a file name that cannot move the cursor or colour the terminal: an export may come from anybody.
 *
 * @param text a name or a message with one
 * @returns the text with another character for each that is none
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

/**
 * A verdict for people: the score, its four parts as bars, and what each check found. Nothing in it is from the file, because nothing in
 * a verdict is.
 *
 * @param verdict what was judged
 * @returns lines of text
 */
export function scoreCard(verdict: PocVerdict): string {
  const bar = (value: number): string => {
    const full = Math.round(value * WIDTH)
    return `${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}`
  }
  const lines = [
    verdict.refusal === null
      ? `valid     score ${verdict.score.toFixed(4)}`
      : `refused   ${verdict.refusal.code} at ${verdict.refusal.place}`,
    '',
    ...dimensions.map((name) => `${name.padEnd(13)} ${bar(verdict[name])} ${verdict[name].toFixed(4)}`),
    '',
  ]
  for (const { check, result, place, degree, heuristic } of verdict.evidence) {
    const share = degree === undefined ? '' : ` ${(degree * 100).toFixed(0)} %`
    lines.push(
      `${marks[result]} ${check.padEnd(24)} ${result}${share}${place === check ? '' : `  (${place})`}${heuristic ? '  heuristic' : ''}`,
    )
  }
  for (const [title, facts] of [
    ['attributes', verdict.attributes],
    ['metadata', verdict.metadata ?? {}],
  ] as const) {
    if (Object.keys(facts).length > 0) lines.push('', `${title}  ${JSON.stringify(facts)}`)
  }
  lines.push('', `code ${verdict.poc}`)
  return `${lines.join('\n')}\n`
}
