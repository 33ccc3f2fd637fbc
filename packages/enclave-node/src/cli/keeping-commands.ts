/**
 * Commands of `sealpool-node` that move a node's state or keys: backup, restore, migrate.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { backupNode } from '../backup/backup-node.js'
import { restoreNode } from '../backup/restore-node.js'
import { NodeError } from '../errors.js'
import { takeOver } from '../migration/take-over.js'
import type { NodeCommand } from './command.js'
import { loadConfig } from './load-config.js'
import { configFlags, settingsOptions } from './settings-options.js'

/** They open the node's chain, store and keys as it does itself. */
const asItself =
  'Settings and secrets are those that the node is started with, the transaction key (SEALPOOL_TRANSACTION_KEY or --secrets) among them.'

const backup: NodeCommand = {
  name: 'backup',
  summary: 'write one file with the node’s state, sealed as it lies there',
  options: {
    ...settingsOptions,
    to: { value: 'FILE', help: 'the backup; a new file', required: true },
  },
  details: [
    'Of a node that runs or is stopped, and of a group. The node’s own secrets (its key release) are not in it: keep them elsewhere.',
    asItself,
  ],
  examples: ['sealpool-node backup --config node.json --to node.backup'],
  async run(given, io) {
    const { config, secrets } = await loadConfig(configFlags(given), process.env)
    const to = given.need('to')
    io.err('reading the state, and writing the backup\n')
    const made = await backupNode({ config, secrets, to: resolve(to) })
    return { json: { backup: to, ...made } }
  },
}

const restore: NodeCommand = {
  name: 'restore',
  summary: 'put a backup into an empty data directory, or a group’s database',
  options: {
    ...settingsOptions,
    from: { value: 'FILE', help: 'the backup', required: true },
    checkpoint: {
      value: 'FILE|none',
      help: 'the newest answer of the node’s /v1/log/checkpoint that is to be had',
      required: true,
    },
  },
  details: [
    'Refused when it was altered or cut off, is of another node, or is older than what the chain has anchored, a peer has seen or the node’s log has told. With --checkpoint none, a node that has signed lists of deletions since may contradict itself.',
    'What the key release keeps in a file must lie in the data directory first. One that was cut off is run again.',
    asItself,
  ],
  examples: [
    'curl -s https://node.example/v1/log/checkpoint > node.checkpoint   # often',
    'sealpool-node restore --config node.json --from node.backup \\',
    '  --checkpoint node.checkpoint',
  ],
  async run(given, io) {
    const { config, secrets } = await loadConfig(configFlags(given), process.env)
    const [from, newest] = [given.need('from'), given.need('checkpoint')]
    const checkpoint =
      newest === 'none'
        ? null
        : await readFile(newest, 'utf8').catch((cause: unknown) => {
            throw new NodeError(
              'CONFIG_FILE_UNREADABLE',
              newest,
              'the checkpoint cannot be read; check its path, or say none',
              { cause },
            )
          })
    io.err('opening and checking everything in the backup\n')
    const restored = await restoreNode({ config, secrets, from: resolve(from), checkpoint })
    return { json: { restored: from, ...restored } }
  },
}

const migrate: NodeCommand = {
  name: 'migrate',
  summary: 'on the machine of an upgraded image: take over a node’s keys',
  options: {
    ...settingsOptions,
    from: { value: 'URL', help: 'the old node, which hands its keys over and works no more' },
  },
  details: ['Without --from: prints what the old node’s settings must name as its successor.', asItself],
  examples: [
    'sealpool-node migrate --config new.json',
    'sealpool-node migrate --config new.json --from https://old.example',
  ],
  async run(given) {
    const { config, secrets } = await loadConfig(configFlags(given), process.env)
    return { json: await takeOver({ config, secrets, from: given.get('from') }) }
  },
}

/** For state and keys. */
export const keepingCommands: readonly NodeCommand[] = [backup, restore, migrate]
