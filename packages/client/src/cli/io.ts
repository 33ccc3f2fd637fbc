/** What a command has of the outside world besides files and network. */
export interface CliIo {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** All of standard input. */
  readonly stdin: () => Promise<string>
}

/**
 * - 0: done, or the answer is yes
 * - 1: the answer is no: the node is not ready, the receipt does not verify, the job was refused
 * - 2: the command was not understood
 * - 3: it could not be done
 */
export type CliExitCode = 0 | 1 | 2 | 3

/** Escape and control characters of foreign text must not reach a terminal. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '�')
}

/** JSON of an answer; big integers as decimal text, bytes as their number. */
export function jsonText(value: unknown): string {
  return JSON.stringify(
    value,
    (_name, part: unknown) => {
      if (typeof part === 'bigint') return part.toString()
      return part instanceof Uint8Array ? { bytes: part.length } : part
    },
    2,
  )
}

/** Rows as aligned columns. A cell is one line: what a stranger named must not look like a row of its own. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => oneLine(row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => oneLine(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What a stranger named, within a line. */
export function oneLine(cell: string): string {
  return harmless(cell).replaceAll('\n', '\ufffd')
}

/** Unix seconds as people write a moment; the number itself where that is none. */
export function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds}` : date.toISOString()
}

/** How a check's result begins its line. */
export const checkMarks = { pass: 'ok ', fail: 'NO ', 'not-checked': '?  ' } as const
