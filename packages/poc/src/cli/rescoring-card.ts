import type { Rescoring } from '../rescoring/rescoring.js'

/**
 * A rescoring for people, a contribution a line; its parse leaves no text in it that could move the cursor.
 *
 * @param rescoring verified before
 * @returns lines of text
 */
export function rescoringCard(rescoring: Rescoring): string {
  const { number, last, poc, rule, accepted, chosen, sample, entries, left } = rescoring
  const units = (score: number): string => (score / 10_000).toFixed(4)
  const earned = entries.reduce((sum, { difference }) => sum + difference, 0)
  return `${[
    `part      ${number}${last ? ', the last' : ', others follow'}`,
    `proof     ${poc}`,
    `chosen    ${chosen} of ${accepted} accepted contributions (share ${sample.share})`,
    `rule      ${rule}: ${rule === 'keep' ? 'the new score is only told' : `earned ${units(earned)} in all`}`,
    '',
    ...entries.map(
      ({ contribution, before, after, difference }) =>
        `${contribution}  ${units(before.score)} before  ${after.refused ? 'refused' : units(after.score)} now  +${units(difference)}`,
    ),
    ...left.map(({ contribution, reason }) => `${contribution}  left out: ${reason}`),
  ].join('\n')}\n`
}
