import type { FileJobResult, JobProgress } from '../file-job/index.js'
import { remedies } from './remedies.js'

/** Text of a file name that cannot move the cursor or colour the terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

/**
 * The report of a job for people.
 *
 * @param result - what the job gave
 * @param inputs - how many files it had
 * @returns lines
 */
export function reportOf(result: FileJobResult, inputs: number): string {
  const lines = ['']
  for (const [name, { rows, parts }] of Object.entries(result.tables)) {
    lines.push(
      `  ${name.padEnd(24)} ${rows.toLocaleString('en-US').padStart(14)} rows  ${parts.length} files`,
    )
  }
  const refused = result.refused.length
  lines.push(
    '',
    `  files    ${inputs - refused} refined, ${refused} refused${result.resumed > 0 ? `, ${result.resumed} done before` : ''}`,
  )
  for (const id of result.repaired)
    lines.push(`  ! ${harmless(id)} was refined again: its rows were missing or damaged`)
  for (const { id, code, place } of result.refused) {
    lines.push(
      `  ✗ ${harmless(id)}`,
      `      ${code} at ${harmless(place)}${Object.hasOwn(remedies, code) ? `: ${remedies[code]}` : ''}`,
    )
  }
  lines.push('', `  schema   ${result.schemaId}`, `  refiner  ${result.refiner}`)
  if (result.contentDigest !== null) lines.push(`  content  ${result.contentDigest}`)
  return `${lines.join('\n')}\n`
}

/**
 * One line that shows how far a job is.
 *
 * @param progress - how far
 * @param width - characters of the bar
 * @returns the line, without a line break
 */
export function progressLine(progress: JobProgress, width = 30): string {
  const { inputs, inputsDone, bytes, bytesDone, rows } = progress
  const inside = bytes === 0 ? 0 : Math.min(1, bytesDone / bytes)
  const share = inputs === 0 ? 1 : Math.min(1, (inputsDone + (inputsDone < inputs ? inside : 0)) / inputs)
  const full = Math.round(share * width)
  const bar = '█'.repeat(full) + '░'.repeat(width - full)
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${inputsDone}/${inputs} files${rows > 0 ? `  ${rows.toLocaleString('en-US')} rows` : ''}`
}
