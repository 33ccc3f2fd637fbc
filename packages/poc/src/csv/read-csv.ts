/** A table as text: its header and its rows, every field exactly as it stands. */
export interface CsvTable {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * Reads CSV (RFC 4180) with LF or CRLF, by the rules that `@sealpool/refine` reads it by (the cases in `conformance/csv`), so that what is
 * paid for is what is delivered. Nothing is trimmed, in names neither. A byte order mark at the start is dropped. A wholly empty line is
 * skipped among several columns and a row with an empty field in one.
 *
 * @param text the file
 * @returns the table, or undefined when there is no header, a name is empty or stands twice, a carriage return stands without its line
 *   feed, a quote is left open or stands anywhere but around a whole field, or a row has another number of fields than the header
 */
export function readCsv(text: string): CsvTable | undefined {
  let header: readonly string[] | undefined
  const rows: string[][] = []
  let row: string[] = []
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (at < text.length) {
    const start = at
    if (text[at] === '"') {
      const parts: string[] = []
      let from = at + 1
      for (;;) {
        const close = text.indexOf('"', from)
        if (close === -1) return undefined
        parts.push(text.slice(from, close))
        from = close + 1
        if (text[from] !== '"') break
        parts.push('"')
        from++
      }
      row.push(parts.join(''))
      at = from
    } else {
      while (at < text.length && !isFieldEnd(text[at])) at++
      const field = text.slice(start, at)
      if (field.includes('"')) return undefined
      row.push(field)
    }
    if (text[at] === ',') {
      at++
      // A comma at the end of the file has an empty field behind it.
      if (at < text.length) continue
      row.push('')
    }
    if (text[at] === '\r') at++
    if (at < text.length && text[at] !== '\n') return undefined
    if (at >= text.length && text[at - 1] === '\r') return undefined
    const isEmptyLine = row.length === 1 && row[0] === '' && text[start] !== '"'
    at++
    if (header === undefined) {
      if (row.includes('') || new Set(row).size !== row.length) return undefined
      header = row
    } else if (!isEmptyLine || header.length === 1) {
      if (row.length !== header.length) return undefined
      rows.push(row)
    }
    row = []
  }
  return header === undefined ? undefined : { header, rows }
}

function isFieldEnd(character: string | undefined): boolean {
  return character === ',' || character === '\n' || character === '\r'
}
