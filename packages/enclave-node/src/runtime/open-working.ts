/**
 * The node's memory at its start: how it stood, or a database without rows.
 * @module
 */
import type { NodeConfig } from '../config/node-config.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { platformRandom } from '../platform.js'
import { type MemoryImage, type MemoryImages, memoryImages } from '../state/memory-image.js'
import { memoryPool } from '../state/memory-room.js'
import { currentVersion } from '../state/migration.js'
import { openMemoryStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'
import { openWorkingDatabase, type WorkingDatabase } from '../state/working-template.js'

/** What a start finds. */
export interface WorkingMemory {
  /** Absent in a group: another node may lead when this one starts. */
  readonly images: MemoryImages | undefined
  /** @returns a database without rows, for those of tables of a version */
  open(version: number | undefined): Promise<StateStore>
  /** @returns the files of a database without tables, where one was made, until it was asked for the last time */
  emptyFiles(): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Lets go of the files: 31 MB. */
  forgetFiles(): void
  /** Closes what was opened and not taken. */
  close(): Promise<void>
}

/** Begins to open what a start needs: the node's image, or, where there is none, a database without rows. */
export function openWorkingMemory(config: NodeConfig, keys: NodeKeyRing): WorkingMemory {
  const { deployment } = config.chain
  const directory = config.dataDirectory
  const images =
    config.state.kind === 'pglite'
      ? memoryImages({ directory, key: keys.imageSecret(deployment), random: platformRandom })
      : undefined
  let loading: Promise<MemoryImage | undefined> | undefined = images?.load().catch(() => undefined)
  let opening: Promise<WorkingDatabase> | undefined
  let forgotten = false
  const open = (): Promise<WorkingDatabase> => {
    opening ??= openWorkingDatabase({
      directory,
      key: keys.templateSecret(deployment),
      random: platformRandom,
    }).then((opened) => (forgotten ? { ...opened, empty: undefined } : opened))
    // Whoever asks for it is told.
    opening.catch(() => undefined)
    return opening
  }
  // Before the node leads its group, so that a standby has it ready when its time comes.
  const begun = Promise.resolve(loading).then((image) => {
    if (image === undefined) open()
    return image
  })
  return {
    images: images && {
      ...images,
      async load() {
        const image = await loading
        loading = undefined
        return image
      },
    },
    async open(version) {
      const { store } = await open()
      if (version === undefined || version === currentVersion) return store
      // It has the tables of this release, and rows of an earlier one are to be put into theirs.
      opening = undefined
      await store.close()
      return openMemoryStore([], memoryPool({ directory, random: platformRandom }))
    },
    async emptyFiles() {
      return (await begun) === undefined ? (await open()).empty : undefined
    },
    forgetFiles() {
      forgotten = true
      opening = opening?.then((opened) => ({ ...opened, empty: undefined }))
      opening?.catch(() => undefined)
    },
    async close() {
      await begun
      await (await loading)?.working.close()
      await (await opening)?.store.close()
    },
  }
}
