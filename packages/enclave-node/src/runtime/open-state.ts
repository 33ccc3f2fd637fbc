import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { openPostgresStore, type PostgresConnection } from '../state/postgres-store.js'
import type { StateStore } from '../state/state-store.js'
import type { NodeLogger } from './logger.js'

/** The store, and what resolves when it is lost for good; never for an embedded one. */
export interface OpenedState {
  readonly store: StateStore
  readonly lost: Promise<NodeError>
}

/** Milliseconds between two tries to lead a group. */
const standbyMs = 500

/**
 * Opens the store that the settings name: the embedded one, or that of a node group, for which the package `pg` must be
 * installed beside the node.
 * @param empty files of an empty database, for an embedded store that is not there yet
 * @throws NodeError `STATE_...`, `SECRET_MISSING`
 */
export async function openState(
  config: NodeConfig,
  secrets: NodeSecrets,
  log: NodeLogger,
  empty?: () => Promise<Uint8Array<ArrayBuffer> | undefined>,
): Promise<OpenedState> {
  const { state } = config
  if (state.kind === 'pglite') {
    return {
      store: await openPgliteStore({
        directory: config.dataDirectory,
        onUpkeepError: (error) =>
          log.warn({ err: error }, 'the database was not cleaned; it grows until it is'),
        ...(empty === undefined ? {} : { empty }),
      }),
      lost: new Promise(() => undefined),
    }
  }
  const store = await openPostgresStore({
    connect: groupDatabase(secrets),
    group: state.group,
    onStandby: () => log.info({ group: state.group }, 'another node leads the group; this one stands by'),
    pause: () => sleep(standbyMs),
  })
  log.info({ group: state.group }, 'this node leads the group')
  return { store, lost: store.lost }
}

/** @returns opens connections to a group's database. @throws NodeError `SECRET_MISSING` */
export function groupDatabase({ databaseUrl }: NodeSecrets): () => Promise<PostgresConnection> {
  if (databaseUrl === null) {
    throw new NodeError(
      'SECRET_MISSING',
      'SEALPOOL_DATABASE_URL',
      'a node group needs the address of its PostgreSQL server; set it in the environment or in the secrets file',
    )
  }
  return () => connectTo(databaseUrl)
}

async function connectTo(connectionString: string): Promise<PostgresConnection> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, keepAlive: true })
  // Before it is connected, too: an error without a listener would end the process with a text that may name the address.
  client.on('error', () => undefined)
  await client.connect()
  return client
}
