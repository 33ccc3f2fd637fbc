/**
 * Restores a backup into an empty folder or database. Everything is unpacked and checked beside the place where it belongs, and as
 * long as it is not all there, no node starts on it.
 * @module
 */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equalBytes } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import { configuredChain } from '../chain/configured-chain.js'
import { auditPath, tablesFolder } from '../config/data-folders.js'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { sealedRootFile } from '../key/sealed-key-release.js'
import { simulatedSealerFile } from '../key/simulated-sealer.js'
import { requireLogNotBehind } from '../log/log-not-behind.js'
import { logOrigin } from '../log/receipt-log.js'
import { awaitingMark } from '../migration/awaiting-folder.js'
import { ed25519PublicKey, platformRandom } from '../platform.js'
import { askHeadPeers } from '../runtime/open-anchors.js'
import { openPlatform } from '../runtime/open-platform.js'
import { groupDatabase } from '../runtime/open-state.js'
import { nodeIdentity, requireSameNode } from '../runtime/same-node.js'
import { lockDirectory, lockFile } from '../state/directory-lock.js'
import { verifyLedgers } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { openPostgresStore } from '../state/postgres-store.js'
import { putSealedContents, readHead, type SealedHead } from '../state/sealed-rows.js'
import { openSealedStore, type SealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { type BackupHeader, type BackupReader, readBackup } from './backup-file.js'
import { backupSource } from './backup-source.js'
import { bookAfterRestore, orderRestoredHeads } from './restored-heads.js'
import { unfinishedRestore } from './unfinished-restore.js'

/** What was restored. */
export interface RestoredBackup extends BackupHeader {
  readonly files: number
}

/** Files of the node's own secrets, which no backup holds: they may lie in an empty data folder. */
const secretFiles: readonly string[] = [
  developmentKeyFile,
  simulatorFile,
  sealedRootFile,
  simulatedSealerFile,
  awaitingMark,
]
/** What a restore puts into a folder, or a start that found nothing there. */
const restoredNames =
  /^(tables|audit\.jsonl|restored-heads|pglite|pglite\.part|empty-database(\.part)?|memory-image(\.part)?|0x[0-9a-f]{40})$/

/**
 * Restores a backup.
 * @param options settings and secrets of the node; `from`: the backup; `checkpoint`: the newest that is to be had of the node's log, null
 * when there is none: then nothing tells whether lists of deletions and refusals that the node has signed since are in it
 * @throws NodeError `STATE_NOT_EMPTY`, `BACKUP_INVALID`, `STATE_OF_ANOTHER_NODE`, `STATE_TAMPERED`, `STATE_ROLLED_BACK` when the chain
 * has anchored, the log has told, or a peer has seen of charges, more than it holds, `PEERS_SILENT`, `CHECKPOINT_INVALID`, `KEY_UNREADABLE`; nothing of it is left then
 */
export async function restoreNode(options: {
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  readonly from: string
  readonly checkpoint: string | null
}): Promise<RestoredBackup> {
  const { config, from } = options
  const folder = config.state.kind === 'pglite' ? config.dataDirectory : config.state.tablesDirectory
  const part = join(folder, unfinishedRestore)
  if (statSync(from, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new NodeError('BACKUP_INVALID', from, 'there is no such file; give the path of a backup')
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(folder)
  try {
    await prepareFolder(folder, part)
    requireSecrets(config)
    return await restoreInto(folder, options)
  } finally {
    unlock()
  }
}

async function restoreInto(
  folder: string,
  { config, secrets, from, checkpoint }: Parameters<typeof restoreNode>[0],
): Promise<RestoredBackup> {
  const part = join(folder, unfinishedRestore)
  const platform = openPlatform(config)
  const keys = openKeyRing(await platform.keyRelease.release(), configDigest(config))
  const { key, cipherOf } = backupSource(config, keys)
  await mkdir(part, { recursive: true, mode: 0o700 })
  try {
    const backup = await readBackup(createReadStream(from), {
      key,
      node: nodeIdentity(keys, config.chain.deployment),
    })
    const files = await unpack(backup, part)
    await backup.finish()
    const embedded = await openPgliteStore({ directory: join(part, 'state') })
    const simulated = platform.quotes.simulated || platform.keyRelease.simulated
    await check(embedded, backup, { config, secrets, keys, cipherOf, checkpoint, simulated })
    // From here on the backup is known to be good; a kill leaves what the next restore takes away.
    if (files.length > 0) await moveAll(config, part)
    if (config.state.kind === 'pglite') await rename(join(part, 'state', 'pglite'), join(folder, 'pglite'))
    else await putIntoDatabase(config.state.group, secrets, backup)
    await rm(join(config.dataDirectory, awaitingMark), { force: true })
    await rm(part, { recursive: true })
    return { ...backup.header, files: files.length }
  } catch (error) {
    await prepareFolder(folder, part)
      .then(() => rm(part, { recursive: true }))
      .catch(() => undefined)
    throw error
  }
}

/** Makes sure that nothing is there but the node's secrets, after what an earlier restore left is taken away. */
async function prepareFolder(folder: string, part: string): Promise<void> {
  const unfinished = existsSync(part)
  const names = existsSync(folder) ? await readdir(folder) : []
  const others = names.filter((name) => ![unfinishedRestore, lockFile, ...secretFiles].includes(name))
  if (!unfinished && others.length > 0) throw notEmpty(folder)
  if (!others.every((name) => restoredNames.test(name))) throw notEmpty(folder)
  for (const name of others) await rm(join(folder, name), { recursive: true })
  // The mark itself stays until the next restore has done its work.
  for (const name of unfinished ? await readdir(part) : []) await rm(join(part, name), { recursive: true })
}

function notEmpty(folder: string): NodeError {
  return new NodeError(
    'STATE_NOT_EMPTY',
    folder,
    'a backup is restored into an empty folder only; choose another one, or move away what is there',
  )
}

/** The secrets that lie in files must be there first: without them, a development node would make itself new ones. */
function requireSecrets({ keyRelease, evidence, dataDirectory }: NodeConfig): void {
  const needed = [
    ...(keyRelease.adapter === 'development' ? [developmentKeyFile] : []),
    ...(keyRelease.adapter === 'sealed' ? [sealedRootFile, simulatedSealerFile] : []),
    ...(keyRelease.adapter === 'sealed' || evidence.provider === 'simulator' ? [simulatorFile] : []),
  ]
  for (const name of needed) {
    if (existsSync(join(dataDirectory, name))) continue
    throw new NodeError(
      'KEY_UNREADABLE',
      join(dataDirectory, name),
      'no backup holds the node’s own secrets; put the file into the data folder first',
    )
  }
}

/** @returns the names of the files */
async function unpack(backup: BackupReader, part: string): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { name, read } of backup.files()) {
    const path = join(part, 'files', name)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const bytes of read()) await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    names.push(name)
  }
  return names
}

/** Puts the rows into a store and opens it as a start does. The store is closed afterwards. */
async function check(
  durable: StateStore,
  backup: BackupReader,
  node: {
    readonly config: NodeConfig
    readonly secrets: NodeSecrets
    readonly keys: NodeKeyRing
    readonly cipherOf: ReturnType<typeof backupSource>['cipherOf']
    readonly checkpoint: string | null
    readonly simulated: boolean
  },
): Promise<void> {
  const { config, keys, cipherOf, checkpoint } = node
  let store = durable
  try {
    await putSealedContents(durable, backup.state)
    const sealed = await openSealedStore({
      durable,
      openWorking: () => openPgliteStore({ directory: 'memory' }),
      cipherOf,
      random: platformRandom,
    })
    store = sealed
    await verifyLedgers(store)
    await requireSameNode(store, nodeIdentity(keys, config.chain.deployment))
    if (checkpoint !== null) {
      const { deployment } = config.chain
      const publicKey = ed25519PublicKey(keys.logSecret(deployment))
      const origin = logOrigin(keys.statementAddress, deployment)
      await requireLogNotBehind(store, { origin, publicKey }, checkpoint)
    }
    const chain = await configuredChain(config, node.secrets)
    for (const { address } of config.pools) await requireNotBehind({ store, chain }, address)
    if (config.anchors?.peers != null) await orderFor(sealed, { ...node, chain })
  } finally {
    await store.close()
  }
}

/** Peers have seen a newer state than any backup but the last holds: they are asked, and their heads are over when no charge is missing. */
async function orderFor(
  store: SealedStore,
  node: {
    readonly config: NodeConfig
    readonly keys: NodeKeyRing
    readonly chain: ChainPort
    readonly simulated: boolean
  },
): Promise<void> {
  const { config, keys } = node
  const { deployment } = config.chain
  const sign = nodeSigner({
    statementKey: keys.statementKey,
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
  })
  const answers = await askHeadPeers({ ...node, sign })
  const book = await bookAfterRestore(store, answers, config.anchors?.peers?.required ?? 0)
  await orderRestoredHeads(config, keys.backupSecret(deployment), { state: store.head().state, book })
}

async function moveAll(config: NodeConfig, part: string): Promise<void> {
  const files = join(part, 'files')
  const tables = join(files, 'tables')
  await mkdir(tablesFolder(config), { recursive: true, mode: 0o700 })
  for (const pool of existsSync(tables) ? readdirSync(tables) : []) {
    await rename(join(tables, pool), join(tablesFolder(config), pool))
  }
  const audit = join(files, 'audit.jsonl')
  if (existsSync(audit)) await rename(audit, auditPath(config))
}

async function putIntoDatabase(group: string, secrets: NodeSecrets, backup: BackupReader): Promise<void> {
  const store = await openPostgresStore({
    connect: groupDatabase(secrets),
    group,
    onStandby: () => undefined,
    pause: () => {
      throw new NodeError(
        'STATE_LOCKED',
        'state.group',
        'a node of the group is at work; stop all of them first',
      )
    },
  })
  try {
    await putSealedContents(store, backup.state)
  } catch (error) {
    // Killed after its commit, an earlier restore of the same backup did this already.
    if (!(error instanceof NodeError) || error.code !== 'STATE_NOT_EMPTY') throw error
    const there = await readHead(store)
    if (there === undefined || !sameHead(there, backup.state.head)) throw error
  } finally {
    await store.close()
  }
}

function sameHead(one: SealedHead, other: SealedHead): boolean {
  const { store, sealed, version } = one
  return version === other.version && equalBytes(store, other.store) && equalBytes(sealed, other.sealed)
}
