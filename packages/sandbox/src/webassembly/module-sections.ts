/** What a module declares before its code, as far as rewriting the code needs it (Core Specification 2.0, section 5.5). */
import { type ByteCursor, byteCursor } from './byte-cursor.js'

/** Types of values that are taken: i32, i64, f32, f64, funcref, externref. */
export const takenTypes: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x70, 0x6f])

/** How many values a function takes and gives. */
export interface FunctionType {
  readonly parameters: number
  readonly results: number
}

/** Types, functions and globals of a module. */
export interface ModuleDeclarations {
  readonly types: FunctionType[]
  /** Type of each function, imported ones first. */
  readonly functions: number[]
  importedFunctions: number
  globals: number
}

/**
 * What reading and rewriting throw for a module that is not taken.
 *
 * @returns the error
 */
export const refused = (): RangeError => new RangeError('not taken')

/**
 * Takes a module apart. Custom sections say nothing that runs and are left out.
 *
 * @param bytes - the module
 * @returns bodies by number
 * @throws RangeError for what is no row of known sections
 */
export function readSections(bytes: Uint8Array): Map<number, Uint8Array> {
  const cursor = byteCursor(bytes)
  cursor.take(8)
  const sections = new Map<number, Uint8Array>()
  while (cursor.at < cursor.end) {
    const id = cursor.byte()
    const body = cursor.take(cursor.whole())
    if (id > 12 || sections.has(id)) throw refused()
    if (id !== 0) sections.set(id, body)
  }
  return sections
}

function readImports(body: Uint8Array | undefined, shape: ModuleDeclarations): void {
  if (body === undefined) return
  const cursor = byteCursor(body)
  const limits = () => {
    const flags = cursor.byte()
    cursor.whole()
    if ((flags & 1) === 1) cursor.whole()
    if (flags > 3) throw refused()
  }
  for (let count = cursor.whole(); count > 0; count -= 1) {
    cursor.take(cursor.whole())
    cursor.take(cursor.whole())
    const kind = cursor.byte()
    if (kind === 0) shape.functions.push(cursor.whole())
    else if (kind === 1) {
      cursor.byte()
      limits()
    } else if (kind === 2) limits()
    else if (kind === 3) {
      cursor.take(2)
      shape.globals += 1
    } else throw refused()
  }
  if (cursor.at !== cursor.end) throw refused()
  shape.importedFunctions = shape.functions.length
}

/** Numbers and references; vectors and typed references are not taken. @returns how many */
function valueTypes(cursor: ByteCursor): number {
  const count = cursor.whole()
  if (!cursor.take(count).every((type) => takenTypes.has(type))) throw refused()
  return count
}

function readTypes(body: Uint8Array | undefined, { types }: ModuleDeclarations): void {
  if (body === undefined) return
  const cursor = byteCursor(body)
  for (let count = cursor.whole(); count > 0; count -= 1) {
    if (cursor.byte() !== 0x60) throw refused()
    types.push({ parameters: valueTypes(cursor), results: valueTypes(cursor) })
  }
}

function readFunctions(body: Uint8Array | undefined, { functions }: ModuleDeclarations): void {
  if (body === undefined) return
  const cursor = byteCursor(body)
  for (let count = cursor.whole(); count > 0; count -= 1) functions.push(cursor.whole())
}

/**
 * Reads what the sections before the code declare.
 *
 * @param sections - of {@link readSections}
 * @returns types, functions and globals
 * @throws RangeError for vectors, typed references, and what cannot be read
 */
export function readDeclarations(sections: ReadonlyMap<number, Uint8Array>): ModuleDeclarations {
  const shape: ModuleDeclarations = { types: [], functions: [], importedFunctions: 0, globals: 0 }
  readTypes(sections.get(1), shape)
  readImports(sections.get(2), shape)
  readFunctions(sections.get(3), shape)
  const globals = sections.get(6)
  if (globals !== undefined) shape.globals += byteCursor(globals).whole()
  return shape
}
