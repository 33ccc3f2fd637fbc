import { encodeHex } from '@sealpool/crypto'
import { failed } from './finding.js'
import type { SignedFinding } from './signed-content.js'

/**
 * Lets each signed statement of a file count once. A signature costs nothing to repeat, so a part that says what an earlier one says is
 * not authentic (`REPEATED`), and neither is it one that somebody failed to sign: shares are counted without it.
 *
 * Two mails are the same when their signed content is and they agree in every further header field that is signed in both. So a letter
 * that came twice, once by each of its signatures, is one letter, and two receipts of the same words on two days are two.
 *
 * @param findings of the parts of a file, in order
 * @returns the same with the repeated ones marked
 */
export function onceEach(findings: readonly SignedFinding[]): readonly SignedFinding[] {
  const kept = new Map<string, FieldTable[]>()
  return findings.map((found) => {
    if (found.signedContent === undefined) return found
    const content = encodeHex(found.signedContent)
    const tables = kept.get(content) ?? []
    kept.set(content, tables)
    return enter(tables, found.signedFields ?? new Map<string, string>()) ? found : repeated(found)
  })
}

function repeated(found: SignedFinding): SignedFinding {
  return {
    kind: found.kind,
    authentic: false,
    checks: [...found.checks, failed('once', 'REPEATED')],
    signer: null,
    signedContent: undefined,
    ...(found.signedHeaders === undefined ? {} : { signedHeaders: [] }),
    repeated: true,
  }
}

type Fields = ReadonlyMap<string, string>

/**
 * Sets of signed names among letters of one content, and sets of them that two letters share. A sender has a few; whoever contributes makes
 * more by putting fields in front of letters, also of one letter over and over, and each costs a look at every letter and room for what it says.
 */
const MOST_SETS = 64

/** Statements of one content whose signatures cover the same names, by what each set of further names says. */
interface FieldTable {
  readonly names: string
  readonly members: Fields[]
  /** For each set of names that was asked about: the values that stand there. Made when it is first asked for. */
  readonly values: Map<string, Set<string>>
}

/** Enters a statement. @returns false when one that is there agrees with it in all that both sign, or there is no more room */
function enter(tables: FieldTable[], fields: Fields): boolean {
  for (const table of tables) {
    const [first] = table.members
    const common = [...fields.keys()].filter((name) => first?.has(name) === true).sort()
    const asked = JSON.stringify(common)
    let values = table.values.get(asked)
    if (values === undefined) {
      if (table.values.size >= MOST_SETS) return false
      values = new Set(table.members.map((member) => valuesAt(common, member)))
      table.values.set(asked, values)
    }
    if (values.has(valuesAt(common, fields))) return false
  }
  const names = JSON.stringify([...fields.keys()].sort())
  const own = tables.find((table) => table.names === names)
  if (own === undefined) {
    if (tables.length >= MOST_SETS) return false
    tables.push({ names, members: [fields], values: new Map() })
    return true
  }
  own.members.push(fields)
  for (const [asked, values] of own.values) values.add(valuesAt(JSON.parse(asked) as string[], fields))
  return true
}

function valuesAt(names: readonly string[], fields: Fields): string {
  return JSON.stringify(names.map((name) => fields.get(name) ?? ''))
}
