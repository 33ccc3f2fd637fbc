/**
 * The audit log as a file of lines that only grows. Its head is kept in the sealed state besides, so that a log that was cut,
 * changed or taken away is noticed at the next start, and says so for ever.
 * @module
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Digest } from '@sealpool/crypto'
import {
  type AuditEntry,
  type AuditFact,
  type AuditHead,
  continuesFrom,
  emptyAudit,
  nextEntry,
  verifyAudit,
} from './audit-chain.js'

/** An open log. */
export interface AuditLog {
  head(): AuditHead
  /** Writes an entry. What cannot be written was not done: the error stops it. */
  write(fact: AuditFact): void
  /** Counts what happens often; written once a minute, and at the end. */
  count(fact: AuditFact): void
  /** Writes what was counted. */
  flush(): void
  /** @returns entries from a number on, at most 500 */
  read(from: number): readonly AuditEntry[]
}

/** How a log is opened. */
export interface AuditFileOptions {
  readonly path: string
  /** The newest head that the node itself remembers. */
  readonly known: AuditHead
  /** Unix seconds. */
  readonly now: () => number
}

const countedSeconds = 60
const countedAtMost = 1_000
const entriesAtOnce = 500

/**
 * Opens the log. One that does not verify, or does not go on from the known head, is put aside under another name, and the new
 * one begins by saying what was lost.
 * @returns the log, and whether one was lost
 */
export function openAuditFile({ path, known, now }: AuditFileOptions): {
  readonly log: AuditLog
  readonly lost: boolean
} {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (text !== '' && !text.endsWith('\n')) {
    // A line that a full disk or a dying process left half written was never answered to anybody.
    text = text.slice(0, text.lastIndexOf('\n') + 1)
    writeFileSync(path, text, { mode: 0o600 })
  }
  const verdict = verifyAudit(text)
  const lost = !verdict.ok || !continuesFrom(text, known)
  /** Where each entry begins in the file, and where the next one will. */
  const starts: number[] = [0]
  let head: AuditHead = emptyAudit
  if (lost) {
    if (existsSync(path)) renameSync(path, `${path}.broken-${now()}`)
  } else {
    for (const line of text.split('\n').slice(0, -1)) noteLine(`${line}\n`)
    head = verdict.head
  }
  function noteLine(line: string): void {
    starts.push((starts.at(-1) ?? 0) + Buffer.byteLength(line))
  }
  const counted = new Map<string, { readonly fact: AuditFact; count: number }>()
  let countedFrom = now()

  const write = (fact: AuditFact): void => {
    const next = nextEntry(head, fact, now())
    appendFileSync(path, next.line, { mode: 0o600 })
    head = next.head
    noteLine(next.line)
  }
  const flush = (): void => {
    for (const { fact, count } of counted.values()) write({ ...fact, facts: { ...fact.facts, count } })
    counted.clear()
    countedFrom = now()
  }
  const log: AuditLog = {
    head: () => head,
    write,
    count(fact) {
      const key = JSON.stringify(fact)
      const one = counted.get(key) ?? { fact, count: 0 }
      one.count += 1
      counted.set(key, one)
      if (counted.size >= countedAtMost || now() - countedFrom >= countedSeconds) flush()
    },
    flush,
    read(from) {
      const [start, end] = [starts[from], starts[Math.min(from + entriesAtOnce, head.length)]]
      if (start === undefined || end === undefined || start >= end) return []
      const bytes = Buffer.alloc(end - start)
      const file = openSync(path, 'r')
      try {
        readSync(file, bytes, 0, bytes.length, start)
      } finally {
        closeSync(file)
      }
      const lines = bytes.toString('utf8').split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as AuditEntry)
    },
  }
  if (lost) {
    const digest: Digest | string = known.digest ?? 'none'
    write({ event: 'log-lost', facts: { length: known.length, digest } })
  }
  return { log, lost }
}
