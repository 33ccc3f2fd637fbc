import type { Digest } from '@sealpool/crypto'
import { needBytesList } from '../encoding/argument.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { type Checkpoint, openCheckpoint } from './checkpoint.js'
import { type LogEntry, parseLogEntry } from './entry.js'
import { leafHash, needTree, treeRoot } from './merkle-tree.js'
import type { NoteKey } from './signed-note.js'

/** Something that whoever runs the monitor should look at. */
export type LogAlert =
  | { readonly alert: 'not-signed' | 'shrunk' | 'rewritten' | 'wrong-root' }
  | { readonly alert: 'unreadable-entry'; readonly index: number }
  | { readonly alert: 'unknown-entry'; readonly index: number; readonly entry: LogEntry }

/** What a monitor remembers. */
export interface MonitorState {
  readonly size: number
  readonly root: Uint8Array
}

/**
 * One round of a monitor: reads the whole log against its newest checkpoint and the one of the round before, and alerts on
 * every new entry that its owner does not know. A planted measurement, policy or key shows here.
 *
 * @param options what was seen last time, what the log shows now, and which entries are known
 * @param options.entries all entries of the log, as its tiles give them
 * @param options.known whether the owner expects an entry; anything but `true` is no
 * @returns alerts, and the state for the next round; the state stays as it was when the log itself is wrong
 * @throws AttestError `BAD_LOG` when the checkpoint cannot be read; `BAD_ARGUMENT` for a state without size or root, a key
 *   that has lost a part, entries that are no bytes, and a `known` that is no function or gives a promise
 */
export function monitorLog(options: {
  readonly state: MonitorState
  readonly checkpoint: string
  readonly log: NoteKey
  readonly entries: readonly Uint8Array[]
  readonly known: (entry: LogEntry) => boolean
}): { readonly alerts: readonly LogAlert[]; readonly state: MonitorState } {
  const { state, log, entries, known } = options
  needTree(state, 'options.state')
  needBytesList(entries, 'options.entries')
  if (typeof known !== 'function')
    throw new AttestError('BAD_ARGUMENT', 'options.known', 'A function that says what is known is expected')
  const opened = openCheckpoint(options.checkpoint, log)
  if (opened === undefined) return { alerts: [{ alert: 'not-signed' }], state }
  const problem = treeProblem(state, opened.checkpoint, entries)
  if (problem !== undefined) return { alerts: [{ alert: problem }], state }
  const alerts: LogAlert[] = []
  for (let index = state.size; index < opened.checkpoint.size; index += 1) {
    const entry = readable(entries[index])
    if (entry === undefined) alerts.push({ alert: 'unreadable-entry', index })
    else if (!isKnown(known(entry))) alerts.push({ alert: 'unknown-entry', index, entry })
  }
  const { size, root } = opened.checkpoint
  return { alerts, state: { size, root } }
}

function treeProblem(
  state: MonitorState,
  { size, root }: Checkpoint,
  entries: readonly Uint8Array[],
): 'shrunk' | 'rewritten' | 'wrong-root' | undefined {
  if (size < state.size) return 'shrunk'
  const hashes = entries.slice(0, size).map(leafHash)
  if (hashes.length < size || !sameBytes(treeRoot(hashes), root)) return 'wrong-root'
  return sameBytes(treeRoot(hashes.slice(0, state.size)), state.root) ? undefined : 'rewritten'
}

/** Callers without types may answer anything: only `true` counts, and a promise answers for nothing yet. */
function isKnown(answer: unknown): boolean {
  if (typeof answer === 'object' && answer !== null && 'then' in answer)
    throw new AttestError(
      'BAD_ARGUMENT',
      'options.known',
      '`known` must answer at once: what is known is collected before',
    )
  return answer === true
}

function readable(bytes: Uint8Array | undefined): LogEntry | undefined {
  try {
    return bytes === undefined ? undefined : parseLogEntry(bytes)
  } catch (error) {
    if (error instanceof AttestError) return undefined
    throw error
  }
}

/**
 * The usual `known` of {@link monitorLog}: an entry whose digest is on a list.
 *
 * @param digests of what may stand in the log
 * @returns a function that says whether an entry’s digest is one of them
 */
export function knownDigests(digests: Iterable<Digest>): (entry: LogEntry) => boolean {
  const all = new Set(digests)
  return ({ digest }) => all.has(digest)
}
