import {
  leafHash,
  logEntryBytes,
  type NoteKey,
  noteKey,
  openCheckpoint,
  treeRoot,
} from '@sealpool/attest/log'
import { equalBytes } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { logFrom } from '../state/receipt-log-table.js'
import type { Sql } from '../state/state-store.js'
import { logEntryOf } from './receipt-log.js'

/**
 * Holds a state against a checkpoint that this node's log has signed. A log that went on from an older state would say something else at
 * places that were told, under the same numbers of lists: whoever holds both has proof that the node contradicts itself.
 * @param log `origin` and `publicKey` of the node's own log
 * @param note the newest checkpoint that anybody has of it, as `GET /v1/log/checkpoint` gave it
 * @throws NodeError `CHECKPOINT_INVALID` when it is none of this log; `STATE_ROLLED_BACK` when the state does not hold all that it stands for
 */
export async function requireLogNotBehind(
  store: Sql,
  log: { readonly origin: string; readonly publicKey: Uint8Array },
  note: string,
): Promise<void> {
  const opened = read(note, noteKey(log.origin, log.publicKey))
  if (opened === undefined) {
    throw new NodeError(
      'CHECKPOINT_INVALID',
      'checkpoint',
      'it is no checkpoint that the log of this node has signed; give what its /v1/log/checkpoint answered last',
    )
  }
  const { size, root } = opened.checkpoint
  const entries = await logFrom(store, 0)
  const told = entries.slice(0, size).map((entry) => leafHash(logEntryBytes(logEntryOf(entry))))
  if (told.length === size && equalBytes(treeRoot(told), root)) return
  throw new NodeError(
    'STATE_ROLLED_BACK',
    'log',
    told.length < size
      ? `the node has told ${size} entries of its log and this state holds ${entries.length}; restore a newer backup`
      : 'the node has told another log than this state holds; restore the newest backup of the node that signed the checkpoint',
  )
}

function read(note: string, key: NoteKey): ReturnType<typeof openCheckpoint> {
  try {
    return openCheckpoint(note, key)
  } catch {
    // Whatever it is instead: a file of the operator's choice.
    return undefined
  }
}
