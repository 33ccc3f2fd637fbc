import { auditPath, tablesFolder } from '../config/data-folders.js'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { platformRandom } from '../platform.js'
import { nodeIdentity } from '../runtime/same-node.js'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import type { BackupSource } from './take-backup.js'

/** @returns what backups of the node with these settings and keys are taken of */
export function backupSource(config: NodeConfig, keys: NodeKeyRing): BackupSource {
  const { deployment } = config.chain
  const stateKey = keys.stateSecret(deployment)
  return {
    cipherOf: (id) => aesRowCipher({ key: stateKey, store: id, random: platformRandom }),
    key: keys.backupSecret(deployment),
    node: nodeIdentity(keys, deployment),
    tables: tablesFolder(config),
    audit: auditPath(config),
  }
}
