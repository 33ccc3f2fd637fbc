import { addSignatures, type Checkpoint, cosign, openCheckpoint } from './checkpoint.js'
import { needTree, treeRoot, verifyConsistency } from './merkle-tree.js'
import type { NoteKey } from './signed-note.js'

/** What a witness remembers of one log. */
export interface WitnessState {
  readonly size: number
  readonly root: Uint8Array
}

/** State of a witness that has not seen a log yet. */
export const emptyWitnessState: WitnessState = { size: 0, root: /* @__PURE__ */ treeRoot([]) }

/** Answer of {@link witnessCheckpoint}. */
export type WitnessAnswer =
  | { readonly answer: 'cosigned'; readonly state: WitnessState; readonly note: string }
  /** `fork` is a proof: two checkpoints signed by one log that cannot both be true. */
  | { readonly answer: 'refused'; readonly reason: 'not-signed' | 'older' | 'inconsistent' | 'fork' }

/**
 * What an honest witness does with a checkpoint: it cosigns only what the log signed and what continues the tree that it saw
 * before. Store the new state before the cosignature leaves.
 *
 * @param options what was seen last time, what the log shows now, and the witness’s key
 * @param options.state from the last time
 * @param options.note signed checkpoint
 * @param options.log the log's key
 * @param options.proof consistency proof from the state's size to the checkpoint's
 * @param options.time unix seconds
 * @returns the cosigned checkpoint with the new state, or why it was refused
 * @throws AttestError `BAD_LOG` when it is no signed checkpoint; `BAD_ARGUMENT` for a state without size or root, a key of the log that
 *   has lost a part, a time that is none, a name that is no text, or a private key of another length
 */
export function witnessCheckpoint(options: {
  readonly state: WitnessState
  readonly note: string
  readonly log: NoteKey
  readonly proof: readonly Uint8Array[]
  readonly time: number
  readonly name: string
  readonly privateKey: Uint8Array
}): WitnessAnswer {
  const { state, note, log, proof, time, name, privateKey } = options
  needTree(state, 'options.state')
  const opened = openCheckpoint(note, log)
  if (opened === undefined) return { answer: 'refused', reason: 'not-signed' }
  const { checkpoint } = opened
  if (checkpoint.size < state.size) return { answer: 'refused', reason: 'older' }
  if (!continues(state, checkpoint, proof)) {
    return { answer: 'refused', reason: checkpoint.size === state.size ? 'fork' : 'inconsistent' }
  }
  const signature = cosign(opened.note.text, name, time, privateKey)
  return {
    answer: 'cosigned',
    state: { size: checkpoint.size, root: checkpoint.root },
    note: addSignatures(note, [signature]),
  }
}

function continues(state: WitnessState, checkpoint: Checkpoint, proof: readonly Uint8Array[]): boolean {
  return verifyConsistency({ first: state, second: checkpoint, proof })
}
