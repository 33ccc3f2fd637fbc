/**
 * The form of a backup: a line of JSON that says whose it is, the state's sealed rows as they lie in the store, the files that
 * belong to them, and an HMAC-SHA-256 over all of it under a key that only the node derives. What was encrypted stays so; what is
 * readable in a backup (numbers and sizes of rows, names of table files, the audit log) is readable on the node's disk as well.
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { SealedHead, SealedRow } from '../state/sealed-rows.js'

/** Whose state a backup holds, and how old it is. */
export interface BackupHeader {
  /** Address of the statement key and the contracts that it works for. */
  readonly node: string
  /** Number of the state's last commit. */
  readonly commit: number
}

/** The sealed rows of a state. */
export interface BackupState {
  readonly head: SealedHead
  readonly sealed: readonly SealedRow[]
}

/** A file in a backup. */
export interface BackupFile {
  /** `audit.jsonl` or `tables/<pool>/<file>`. */
  readonly name: string
  readonly bytes: number
  /** Its content, of exactly that length. */
  read(): AsyncIterable<Uint8Array>
}

/** A backup as it is read, part by part; nothing of it is authentic before {@link BackupReader.finish}. */
export interface BackupReader {
  readonly header: BackupHeader
  readonly state: BackupState
  /** @returns the files, each of which must be read to its end before the next */
  files(): AsyncGenerator<BackupFile>
  /** @throws NodeError `BACKUP_INVALID` unless the node itself has written every byte that was read, and there is no other */
  finish(): Promise<void>
}

const headerSchema = z.strictObject({
  format: z.literal('sealpool/node-backup'),
  version: z.literal(1),
  node: z.string().max(200),
  commit: z.int().nonnegative(),
})
const entrySchema = z.union([
  z.strictObject({
    name: z
      .string()
      .regex(/^(state|audit\.jsonl|tables\/0x[0-9a-f]{40}\/\d{1,18}-[a-z][a-z0-9_]{0,62}\.parquet)$/),
    bytes: z.int().nonnegative(),
  }),
  z.strictObject({ end: z.literal(true) }),
])
const macBytes = 32
const longestLine = 1_000
const rowsAtOnce = 500

/**
 * Writes a backup.
 * @param key 32 secret bytes of the node
 * @returns its bytes, in order
 * @throws NodeError `BACKUP_FAILED` when a file has another length than it was to have
 */
export async function* writeBackup(
  content: {
    readonly header: BackupHeader
    readonly state: BackupState
    readonly files: readonly BackupFile[]
  },
  key: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const mac = createHmac('sha256', key)
  const noted = <T extends Uint8Array>(bytes: T): T => {
    mac.update(bytes)
    return bytes
  }
  const line = (value: object): Buffer => noted(Buffer.from(`${JSON.stringify(value)}\n`))
  yield line({ format: 'sealpool/node-backup', version: 1, ...content.header })
  const rows = [...stateLines(content.state)]
  yield line({ name: 'state', bytes: rows.reduce((sum, { length }) => sum + length, 0) })
  for (const part of rows) yield noted(part)
  for (const { name, bytes, read } of content.files) {
    yield line({ name, bytes })
    let length = 0
    for await (const part of read()) {
      length += part.length
      yield noted(part)
    }
    if (length !== bytes) {
      throw new NodeError(
        'BACKUP_FAILED',
        name,
        'the file changed while it was copied; make the backup again',
      )
    }
  }
  yield line({ end: true })
  yield mac.digest()
}

function* stateLines({ head, sealed }: BackupState): Generator<Buffer> {
  const { store, keyId, version } = head
  yield Buffer.from(
    `${[encodeHex(store), encodeHex(keyId), version, Buffer.from(head.sealed).toString('base64')].join(' ')}\n`,
  )
  for (let from = 0; from < sealed.length; from += rowsAtOnce) {
    const lines = sealed
      .slice(from, from + rowsAtOnce)
      .map((row) => `${encodeHex(row.name)} ${row.version} ${Buffer.from(row.sealed).toString('base64')}\n`)
    yield Buffer.from(lines.join(''))
  }
}

/**
 * Begins to read a backup: whose it is, and the state.
 * @param source its bytes
 * @param expected address and contracts of the node that reads; key of its backups
 * @throws NodeError `BACKUP_INVALID`, `STATE_OF_ANOTHER_NODE`
 */
export async function readBackup(
  source: AsyncIterable<Uint8Array>,
  expected: { readonly node: string; readonly key: Uint8Array },
): Promise<BackupReader> {
  const mac = createHmac('sha256', expected.key)
  const bytes = byteReader(source)
  const noted = async (length: number): Promise<Buffer> => {
    const part = await bytes.take(length)
    mac.update(part)
    return part
  }
  const line = async <Out>(schema: z.ZodType<Out>): Promise<Out> => {
    const text = await bytes.line(longestLine)
    mac.update(text)
    let value: unknown
    try {
      value = JSON.parse(text.toString('utf8'))
    } catch {
      throw invalid('a line is no JSON')
    }
    const parsed = schema.safeParse(value)
    if (!parsed.success) throw invalid('it is not in the form of a backup')
    return parsed.data
  }
  const { node, commit } = await line(headerSchema)
  if (node !== expected.node) {
    throw new NodeError(
      'STATE_OF_ANOTHER_NODE',
      'backup',
      'it was made by a node with another key or on other contracts; give the backup of this node',
    )
  }
  const first = await line(entrySchema)
  if (!('name' in first) || first.name !== 'state') throw invalid('it does not begin with a state')
  const state = parseState(await noted(first.bytes))
  let ended = false
  return {
    header: { node, commit },
    state,
    async *files() {
      for (;;) {
        const entry = await line(entrySchema)
        if ('end' in entry) {
          ended = true
          return
        }
        if (entry.name === 'state') throw invalid('it holds two states')
        let left = entry.bytes
        yield {
          ...entry,
          async *read() {
            while (left > 0) {
              const part = await noted(Math.min(left, 1 << 20))
              left -= part.length
              yield part
            }
          },
        }
        if (left > 0) throw new RangeError('a file of a backup was not read to its end')
      }
    },
    async finish() {
      const given = await bytes.take(macBytes)
      const genuine = ended && timingSafeEqual(given, mac.digest())
      if (!genuine || !(await bytes.atEnd())) {
        throw invalid('this node has not written it so: it was altered')
      }
    },
  }
}

function parseState(text: Buffer): BackupState {
  const [first = '', ...lines] = text.toString('latin1').split('\n')
  if (lines.pop() !== '') throw invalid('its state ends within a line')
  const [, store, keyId, version, sealed] =
    /^(0x[0-9a-f]{2,200}) (0x[0-9a-f]{2,200}) (\d{1,15}) ([A-Za-z0-9+/=]{1,10000})$/.exec(first) ?? []
  if (store === undefined || keyId === undefined || sealed === undefined)
    throw invalid('its state has no head')
  return {
    head: {
      store: bytesOf(store),
      keyId: bytesOf(keyId),
      version: Number(version),
      sealed: Uint8Array.from(Buffer.from(sealed, 'base64')),
    },
    sealed: lines.map((line) => {
      const [, name, number, body] = /^(0x[0-9a-f]{2,200}) (\d{1,15}) ([A-Za-z0-9+/=]+)$/.exec(line) ?? []
      if (name === undefined || body === undefined) throw invalid('a row of its state is none')
      return {
        name: bytesOf(name),
        version: Number(number),
        sealed: Uint8Array.from(Buffer.from(body, 'base64')),
      }
    }),
  }
}

function bytesOf(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw invalid('a row of its state is none')
  return decodeHex(text as Hex)
}

/** Takes bytes off a source in the pieces that are asked for. */
function byteReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const next = await iterator.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? Buffer.from(next.value) : Buffer.concat([rest, next.value])
    return true
  }
  return {
    async take(length: number): Promise<Buffer> {
      // One buffer for a long piece, filled as it comes: joining it at every read would take the square of its length.
      const parts: Buffer[] = []
      for (let left = length; left > 0; ) {
        if (rest.length === 0 && !(await more())) throw invalid('it is cut off')
        const part = rest.subarray(0, left)
        rest = rest.subarray(part.length)
        parts.push(part)
        left -= part.length
      }
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    },
    /** @returns a line with its end */
    async line(longest: number): Promise<Buffer> {
      for (;;) {
        const end = rest.indexOf(10)
        if (end >= 0 && end <= longest) {
          const text = rest.subarray(0, end + 1)
          rest = rest.subarray(end + 1)
          return text
        }
        if (end > longest || rest.length > longest) throw invalid('it is not in the form of a backup')
        if (!(await more())) throw invalid('it is cut off')
      }
    },
    async atEnd(): Promise<boolean> {
      while (rest.length === 0) if (!(await more())) return true
      return false
    },
  }
}

function invalid(why: string): NodeError {
  return new NodeError('BACKUP_INVALID', 'backup', `${why}; take another copy of it`)
}
