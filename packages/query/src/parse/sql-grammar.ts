import { sha256Digest } from '@sealpool/crypto'
import { QueryError } from '../errors.js'
import type { ScannedToken } from './lexical.js'

/**
 * PostgreSQL's scanner and grammar. Texts are read only: nothing is looked up and nothing runs. `openSqlGrammar` gives one;
 * others, such as one that works in a Worker, may stand in for it.
 */
export interface SqlGrammar {
  /** Tokens in order, comments among them, with places in bytes of UTF-8. */
  readonly scan: (sql: string) => Promise<readonly ScannedToken[]>
  /** The tree of libpg_query as JSON. */
  readonly parse: (sql: string) => Promise<unknown>
}

/** A text that is not PostgreSQL; `byte` is where reading stopped, 0 where that is not known. */
export class SqlSyntaxError extends Error {
  override readonly name = 'SqlSyntaxError'
  readonly byte: number

  constructor(byte: number) {
    super(`not PostgreSQL syntax at byte ${byte}`)
    this.byte = byte
  }
}

/** `libpg-query.wasm` of libpg-query 18.1.5. The names of its imports and exports below are those of this file alone. */
const grammarDigest = 'sha256:378b64e6182f65c71ad5dbd2c31c81e9dfed7d2f2debfb4b51c0d0de8fa2ae36'

/** Most memory that reading one text may take. It is 128 MB from the start; what has grown past `keptBytes` is not kept for the next text. */
const mostBytes = 512 * 2 ** 20
const keptBytes = 160 * 2 ** 20
const pageBytes = 65_536

/** What the module exports, by the names that its linker gave. */
interface GrammarExports {
  readonly z: WebAssembly.Memory
  readonly D: WebAssembly.Table
  /** Runs constructors, once. */
  readonly A: () => void
  readonly C: (size: number) => number
  readonly E: (pointer: number) => void
  /** Parses; gives a structure: tree at 0, error at 8. */
  readonly F: (sql: number) => number
  readonly G: (result: number) => void
  readonly M: (sql: number) => number
  readonly N: (text: number) => void
  readonly P: (thrown: number, value: number) => void
  readonly Q: (stack: number) => void
  readonly R: () => number
}

/** What PostgreSQL's error handling throws through JavaScript to get back to where it started. */
class Jump extends Error {}

/** The module asked to end its process. */
class Stopped extends Error {}

/**
 * Loads PostgreSQL's grammar: the file `libpg-query/wasm/libpg-query.wasm` of the npm package libpg-query 18.1.5, nothing else.
 * Programs in Node need not call this; in a browser the page fetches the file and gives its bytes.
 *
 * @param wasm - the bytes of the file
 * @returns the grammar, for `planQuery` and `templateDigest`
 * @throws QueryError `GRAMMAR_UNAVAILABLE` for other bytes, or where WebAssembly is not allowed
 * @example
 * ```ts no-run
 * const file = await fetch('/libpg-query.wasm')
 * const grammar = await openSqlGrammar(await file.arrayBuffer())
 * const plan = await planQuery({ sql, pools, budget, grammar })
 * ```
 */
export async function openSqlGrammar(wasm: Uint8Array | ArrayBuffer): Promise<SqlGrammar> {
  const bytes = new Uint8Array(wasm).slice()
  if (sha256Digest(bytes) !== grammarDigest) throw new QueryError('GRAMMAR_UNAVAILABLE', 'grammar')
  const compiled = await WebAssembly.compile(bytes).catch((cause: unknown) => {
    throw new QueryError('GRAMMAR_UNAVAILABLE', 'grammar', { cause })
  })
  let idle: GrammarExports | null = null
  /** A module that failed in its middle may be left in any state: it is never used again. */
  const using = async <T>(work: (module: GrammarExports) => T): Promise<T> => {
    const module = idle ?? (await start(compiled))
    idle = null
    const keep = () => {
      if (module.z.buffer.byteLength <= keptBytes) idle = module
    }
    try {
      const result = work(module)
      keep()
      return result
    } catch (error) {
      if (error instanceof SqlSyntaxError) keep()
      else throw new SqlSyntaxError(0)
      throw error
    }
  }
  return {
    scan: (sql) => using((module) => scanText(module, sql)),
    parse: (sql) => using((module) => parseText(module, sql)),
  }
}

function scanText(module: GrammarExports, sql: string): readonly ScannedToken[] {
  return withText(module, sql, (text) => {
    const pointer = module.M(text)
    const answer = readText(module, pointer)
    module.N(pointer)
    // Anything else is PostgreSQL's message, which quotes the text.
    if (!answer.startsWith('{')) throw new SqlSyntaxError(0)
    return (JSON.parse(answer) as { tokens: readonly ScannedToken[] }).tokens
  })
}

function parseText(module: GrammarExports, sql: string): unknown {
  return withText(module, sql, (text) => {
    const result = module.F(text)
    const field = (offset: number) => new DataView(module.z.buffer).getInt32(offset, true)
    const [tree, error] = [field(result), field(result + 8)]
    const answer = error === 0 && tree !== 0 ? readText(module, tree) : null
    // Counted from 1; 0 is no place.
    const place = error === 0 ? 0 : Math.max(0, field(error + 16) - 1)
    module.G(result)
    if (answer === null) throw new SqlSyntaxError(place)
    return JSON.parse(answer)
  })
}

/** Lends a text to the module as bytes that end with a zero. */
function withText<T>(module: GrammarExports, sql: string, work: (text: number) => T): T {
  // C would read a part of it only.
  if (sql.includes('\0')) throw new SqlSyntaxError(0)
  const bytes = new TextEncoder().encode(sql)
  const text = module.C(bytes.length + 1)
  if (text === 0) throw new Stopped()
  const memory = new Uint8Array(module.z.buffer)
  memory.set(bytes, text)
  memory[text + bytes.length] = 0
  const result = work(text)
  module.E(text)
  return result
}

function readText(module: GrammarExports, pointer: number): string {
  const memory = new Uint8Array(module.z.buffer)
  if (pointer === 0) throw new Stopped()
  return new TextDecoder().decode(memory.subarray(pointer, memory.indexOf(0, pointer)))
}

/**
 * A fresh instance. What it may ask of the outside is memory and the jumps of PostgreSQL's error handling; it has no files, no
 * clock and no output.
 */
async function start(compiled: WebAssembly.Module): Promise<GrammarExports> {
  // Filled before anything of the module runs.
  const own: { module?: GrammarExports } = {}
  const module = (): GrammarExports => {
    if (own.module === undefined) throw new Stopped()
    return own.module
  }
  const invoke =
    (nothing: 0 | 0n) =>
    (index: number, ...parameters: readonly number[]): unknown => {
      const { D, P, Q, R } = module()
      const stack = R()
      try {
        return (D.get(index) as (...parameters: readonly number[]) => unknown)(...parameters)
      } catch (error) {
        Q(stack)
        if (!(error instanceof Jump)) throw error
        P(1, 0)
        return nothing
      }
    }
  const stop = (): never => {
    throw new Stopped()
  }
  const grow = (bytes: number): number => {
    const { z } = module()
    const missing = Math.ceil(((bytes >>> 0) - z.buffer.byteLength) / pageBytes)
    if (bytes >>> 0 > mostBytes) return 0
    try {
      z.grow(Math.max(0, missing))
      return 1
    } catch {
      return 0
    }
  }
  const write = (_file: number, parts: number, count: number, written: number): number => {
    const view = new DataView(module().z.buffer)
    const lengths = Array.from({ length: count }, (_, part) => view.getUint32(parts + 8 * part + 4, true))
    view.setUint32(
      written,
      lengths.reduce((sum, length) => sum + length, 0),
      true,
    )
    return 0
  }
  const badFile = () => 8
  const jump = () => {
    throw new Jump()
  }
  const nothing = () => 0
  const invokes = Object.fromEntries([...'gbadkefhjiyn'].map((name) => [name, invoke(0)]))
  const imports = {
    ...invokes,
    l: invoke(0n),
    p: jump,
    q: grow,
    t: write,
    c: stop,
    x: stop,
    m: stop,
    v: stop,
    w: nothing,
    o: nothing,
    u: badFile,
    r: badFile,
    s: badFile,
  }
  const { exports } = await WebAssembly.instantiate(compiled, { a: imports })
  own.module = exports as unknown as GrammarExports
  own.module.A()
  return own.module
}
