/** A table as text: its header and its rows, every field a string without the white space around it. */
export interface CsvTable {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * Reads CSV (RFC 4180) with either line ending. Blank lines are skipped, a byte order mark is dropped, fields are
 * trimmed unless quoted.
 *
 * @param text the file
 * @returns the table, or undefined when there is no header, a quote is left open or in the wrong place, a column name
 *   stands twice, or a row has another number of fields than the header
 */
export function readCsv(text: string): CsvTable | undefined {
  const lines: string[][] = []
  let row: string[] = []
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (at < text.length) {
    let field: string
    const quote = skipBlanks(text, at)
    if (text[quote] === '"') {
      const parts: string[] = []
      let from = quote + 1
      for (;;) {
        const close = text.indexOf('"', from)
        if (close === -1) return undefined
        parts.push(text.slice(from, close))
        from = close + 1
        if (text[from] !== '"') break
        parts.push('"')
        from++
      }
      field = parts.join('')
      at = skipBlanks(text, from)
      if (at < text.length && !isFieldEnd(text[at])) return undefined
    } else {
      let end = at
      while (end < text.length && !isFieldEnd(text[end])) end++
      field = text.slice(at, end).trim()
      if (field.includes('"')) return undefined
      at = end
    }
    row.push(field)
    const last = at >= text.length
    if (!last && text[at] === ',') {
      at++
      if (at < text.length) continue
      row.push('')
    } else if (text[at] === '\r' && text[at + 1] === '\n') {
      at += 2
    } else {
      at++
    }
    if (row.length > 1 || row[0] !== '') lines.push(row)
    row = []
  }
  const [header, ...rows] = lines
  if (header === undefined || new Set(header).size !== header.length) return undefined
  return rows.every((fields) => fields.length === header.length) ? { header, rows } : undefined
}

function isFieldEnd(character: string | undefined): boolean {
  return character === ',' || character === '\n' || character === '\r'
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}
