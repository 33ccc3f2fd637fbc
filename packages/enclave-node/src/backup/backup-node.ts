/**
 * Makes a backup of a node that runs or is stopped.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { openKeyRing } from '../key/key-ring.js'
import { openPlatform } from '../runtime/open-platform.js'
import { groupDatabase } from '../runtime/open-state.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { readPostgres } from '../state/postgres-store.js'
import type { StateStore } from '../state/state-store.js'
import { askForBackup, backupSocket } from './backup-socket.js'
import { backupSource } from './backup-source.js'
import { type SavedBackup, saveBackup } from './save-backup.js'
import { type BackupSource, type TakenBackup, takeBackup } from './take-backup.js'
import { requireRestored } from './unfinished-restore.js'

/** How often a backup of a group is tried whose leader takes files away meanwhile. */
const tries = 3

/**
 * Makes a backup: of an embedded state through the node that has it open, or directly when none has; of a group's through its
 * database, whoever leads.
 * @param options settings and secrets of the node; `to`: the file, which must not be there
 * @throws NodeError `BACKUP_FAILED`, `BACKUP_INVALID`, `STATE_...`, `KEY_UNREADABLE`
 */
export async function backupNode(options: {
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  readonly to: string
}): Promise<SavedBackup> {
  const { config, secrets, to } = options
  const { state, dataDirectory } = config
  requireRestored(state.kind === 'pglite' ? dataDirectory : state.tablesDirectory)
  // Before the keys: a development node would make itself a secret.
  if (state.kind === 'pglite' && !existsSync(join(dataDirectory, 'pglite'))) {
    throw new NodeError(
      'BACKUP_FAILED',
      dataDirectory,
      'no node has worked there; there is nothing to back up',
    )
  }
  const keys = openKeyRing(await openPlatform(config).keyRelease.release(), configDigest(config))
  const source = backupSource(config, keys)
  const save = async (taken: TakenBackup): Promise<SavedBackup> => {
    try {
      return await saveBackup(to, taken.read(), source)
    } finally {
      await taken.close()
    }
  }
  if (state.kind === 'postgresql') {
    return save(
      await takeOfGroup(() => readPostgres(groupDatabase(secrets), (sql) => takeBackup(sql, source))),
    )
  }
  const store = await openStopped(dataDirectory)
  if (store === undefined) return saveBackup(to, await askNode(dataDirectory), source)
  try {
    return await save(await takeStopped(store, source))
  } finally {
    await store.close()
  }
}

/** @returns undefined when a node has it open */
async function openStopped(directory: string): Promise<StateStore | undefined> {
  try {
    return await openPgliteStore({ directory })
  } catch (error) {
    if (error instanceof NodeError && error.code === 'STATE_LOCKED') return undefined
    throw error
  }
}

function takeStopped(store: StateStore, source: BackupSource): Promise<TakenBackup> {
  return store.transaction((tx) => takeBackup(tx, source))
}

async function askNode(directory: string): Promise<AsyncIterable<Uint8Array>> {
  const path = backupSocket(directory)
  if (path !== undefined) return askForBackup(path)
  throw new NodeError(
    'BACKUP_FAILED',
    'data directory',
    'a node works there, and the folder’s name is too long for its socket; stop the node first',
  )
}

async function takeOfGroup(take: () => Promise<TakenBackup>): Promise<TakenBackup> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await take()
    } catch (error) {
      // The leader may have refined anew between the reading of the rows and the opening of their files.
      const moved = error instanceof NodeError && error.code === 'BACKUP_FAILED' && error.cause !== undefined
      if (!moved || attempt === tries) throw error
    }
  }
}
