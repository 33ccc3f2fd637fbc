/**
 * The node's memory at its start: an empty database, or how it stood when it was stopped.
 * @module
 */
import type { NodeConfig } from '../config/node-config.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { platformRandom } from '../platform.js'
import { type MemoryImages, memoryImages } from '../state/memory-image.js'
import type { StateStore } from '../state/state-store.js'
import { openWorkingDatabase } from '../state/working-template.js'

/** What a start finds. */
export interface WorkingMemory {
  /** Absent in a group: another node may lead when this one starts. */
  readonly images: MemoryImages | undefined
  /** @returns an empty database, the same one whenever it is asked */
  empty(): Promise<StateStore>
  /** @returns the files of an empty database, until it was asked for the last time */
  emptyFiles(): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Lets go of the files: 31 MB. */
  forgetFiles(): void
  /** Closes the empty database, where one was opened. */
  close(): Promise<void>
}

/** Begins to open an empty database, unless there is something better. */
export function openWorkingMemory(config: NodeConfig, keys: NodeKeyRing): WorkingMemory {
  const { deployment } = config.chain
  const directory = config.dataDirectory
  const images =
    config.state.kind === 'pglite'
      ? memoryImages({ directory, key: keys.imageSecret(deployment), random: platformRandom })
      : undefined
  let store: Promise<StateStore> | undefined
  let files: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined
  let forgotten = false
  const open = (): Promise<StateStore> => {
    if (store !== undefined) return store
    const opening = openWorkingDatabase({ directory, key: keys.templateSecret(deployment) })
    store = opening.then((opened) => opened.store)
    if (!forgotten) files = opening.then((opened) => opened.empty)
    // Whoever asks for them is told.
    for (const one of [store, files]) one?.catch(() => undefined)
    return store
  }
  // Before the node leads its group, so that a standby has it ready when its time comes.
  if (images?.present() !== true) open()
  return {
    images,
    empty: open,
    async emptyFiles() {
      await open()
      return files
    },
    forgetFiles() {
      forgotten = true
      files = undefined
    },
    close: async () => (await store)?.close(),
  }
}
