/**
 * The log of receipts: every receipt of this node, refusals included, and every list of deletions, as a Merkle tree that only grows
 * (RFC 9162), published as static tiles with a signed checkpoint (C2SP tlog-tiles, signed-note). Entries hold a statement's digest and the number of its job or list.
 * @module
 */
import {
  formatCheckpoint,
  formatEntryBundle,
  formatNote,
  formatNoteKey,
  leafHash,
  logEntryBytes,
  noteKey,
  signNote,
  tilePath,
  tileWidth,
  treeRoot,
  treeTiles,
} from '@sealpool/attest/log'
import type { Address } from '@sealpool/crypto'
import { type LoggedStatement, logFrom } from '../state/receipt-log-table.js'
import type { Sql } from '../state/state-store.js'

/** A log that is read. */
export interface ReceiptLog {
  /** The log's key as a line (`name+id+base64`). */
  readonly key: string
  /** The newest checkpoint, signed. */
  checkpoint(): Promise<string>
  /** @param path from `tile/` on; @returns undefined when there is no such tile */
  tile(path: string): Promise<Uint8Array | undefined>
}

/** What a log stands on. */
export interface ReceiptLogOptions {
  readonly store: Sql
  /** Name of the log, as checkpoints give it. */
  readonly origin: string
  /** Ed25519, 32 secret bytes. */
  readonly privateKey: Uint8Array
  /** Gives the public key of a private one. */
  readonly publicKeyOf: (privateKey: Uint8Array) => Uint8Array
}

/** Opens the log of what the store holds. */
export function receiptLog({ store, origin, privateKey, publicKeyOf }: ReceiptLogOptions): ReceiptLog {
  const key = formatNoteKey(noteKey(origin, publicKeyOf(privateKey)))
  const entries: Uint8Array[] = []
  const hashes: Uint8Array[] = []
  let tiles: { readonly size: number; readonly files: ReadonlyMap<string, Uint8Array> } | undefined
  let reading: Promise<unknown> = Promise.resolve()
  /** Takes in what was appended since; one after the other, so that no entry is taken twice. */
  const readOn = (): Promise<void> => {
    const next = reading.then(async () => {
      for (const entry of await logFrom(store, entries.length)) {
        const bytes = logEntryBytes(logEntryOf(entry))
        entries.push(bytes)
        hashes.push(leafHash(bytes))
      }
    })
    reading = next.catch(() => undefined)
    return next
  }
  return {
    key,
    async checkpoint() {
      await readOn()
      const text = formatCheckpoint({
        origin,
        size: hashes.length,
        root: treeRoot(hashes),
        extensions: [],
      })
      return formatNote({ text, signatures: [signNote(text, origin, privateKey)] })
    },
    async tile(path) {
      const asked = parseTilePath(path)
      if (asked === undefined) return undefined
      await readOn()
      const { level, index, width } = asked
      if (level === 'entries') {
        const part = entries.slice(index * tileWidth, index * tileWidth + width)
        return part.length === width ? formatEntryBundle(part) : undefined
      }
      if (tiles?.size !== hashes.length) tiles = { size: hashes.length, files: treeTiles(hashes) }
      // A partial tile of an earlier checkpoint is the beginning of the one that there is now.
      for (let now = tileWidth; now >= width; now--) {
        const bytes = tiles.files.get(tilePath(level, index, now))
        if (bytes !== undefined) return bytes.slice(0, width * hashBytes)
      }
      return undefined
    },
  }
}

/** @returns the name of a node's log */
export function logOrigin(node: Address, { chainId }: { readonly chainId: number }): string {
  return `sealpool-node/${node}/${chainId}`
}

const hashBytes = 32

/** Reads the path of a tile in its one form. */
function parseTilePath(path: string) {
  const match = /^tile\/(entries|[0-5])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  const [, stage, groups = '', partial] = match ?? []
  if (stage === undefined) return undefined
  const level: 'entries' | number = stage === 'entries' ? stage : Number(stage)
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? tileWidth : Number(partial)
  if (width > tileWidth || (partial !== undefined && width === tileWidth)) return undefined
  return tilePath(level, index, width) === path ? { level, index, width } : undefined
}

/** @returns an entry as the log's leaf has it */
export function logEntryOf({ kind, digest, number, issued }: LoggedStatement) {
  return {
    format: 'sealpool/log-entry',
    version: 1,
    kind,
    subject: kind === 'receipt' ? `job ${number}` : `deletions ${number}`,
    digest,
    at: issued,
  } as const
}
