/** A refused DP item gives nothing away, but a planner that refuses everything answers nothing: at most this share of them may be. */
const mostRefused = 0.2

/**
 * Adds up what was found, by decision.
 *
 * @param counts - for `REJECT`, `DP`, `SAME`: how many items `agree`, `differ`, and are `refused` before data is touched
 * @returns `lines` to print, and how many items agree and differ; refused SAME items agree, because a refusal is the same on all
 *   data; where more than a fifth of the DP items are refused, each refused one differs
 */
export function totalsOf(counts) {
  const lines = []
  let agree = 0
  let differ = 0
  for (const [kind, entry] of Object.entries(counts)) {
    const all = entry.agree + entry.differ + entry.refused
    const tooMany = kind === 'DP' && entry.refused > all * mostRefused
    const refused = entry.refused > 0 ? `, ${entry.refused} refused before data is touched` : ''
    const why = tooMany
      ? `: more than ${mostRefused * 100} of 100 items that are to be answered are refused`
      : ''
    lines.push(`${kind}: ${entry.agree} agree, ${entry.differ} differ${refused}${why}`)
    agree += entry.agree + (kind === 'SAME' ? entry.refused : 0)
    differ += entry.differ + (tooMany ? entry.refused : 0)
  }
  return { lines, agree, differ }
}
