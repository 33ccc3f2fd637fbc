import type { Check } from '../verdict/check-list.js'

/** Where a command writes. */
export interface CliOutput {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Whether to use ANSI colours. */
  readonly colours: boolean
}

const codes = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2, alarm: 7 } as const

/** Escape and control characters of untrusted text must not reach a terminal, nor its line ends, which would begin lines of ours. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '�')
}

/** JSON of the same value for a terminal too: what `JSON.stringify` leaves of such characters is escaped. */
export function harmlessJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `${JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, escaped)}\n`
}

/** Paints text for a terminal, or returns it as it is. */
function paint(output: CliOutput, style: keyof typeof codes, text: string): string {
  return output.colours ? `\u001b[${codes[style]}m${text}\u001b[0m` : text
}

/** Prints a checklist, one line for each check. */
export function printChecks(output: CliOutput, heading: string, checks: readonly Check[]): void {
  output.write(`\n${paint(output, 'bold', harmless(heading))}\n`)
  for (const { title, result, detail } of checks) {
    const mark =
      result === 'pass'
        ? paint(output, 'green', '  ✓ ')
        : result === 'fail'
          ? paint(output, 'red', '  ✗ ')
          : paint(output, 'yellow', '  ? ')
    output.write(`${mark}${harmless(title)}\n`)
    output.write(`${paint(output, 'dim', `      ${harmless(detail)}`)}\n`)
  }
}

/** Prints the last word, and SIMULATED so that nobody misses it. */
export function printAnswer(output: CliOutput, ok: boolean, simulated: boolean, what: string): void {
  if (simulated) {
    output.write(
      `\n${paint(output, 'alarm', '  SIMULATED: no vendor’s hardware is proved to stand behind this.  ')}\n`,
    )
  }
  const word = ok ? paint(output, 'green', 'OK') : paint(output, 'red', 'NOT OK')
  output.write(`\n${word}  ${harmless(what)}${simulated ? ' (SIMULATED)' : ''}\n`)
}
