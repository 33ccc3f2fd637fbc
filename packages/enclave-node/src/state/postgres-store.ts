/**
 * The state store of a node group: a PostgreSQL server that several nodes share, one of which leads.
 *
 * The leader holds an advisory lock, and speaks to the server over the very connection that holds it. A leader that dies, or
 * that the network cuts off, loses lock and connection in one moment: it cannot write any more when the next one can.
 * @module
 */
import { inOrder } from '../chain/in-order.js'
import { NodeError } from '../errors.js'
import type { Sql, SqlRow, SqlValue, StateStore } from './state-store.js'

/** What is used of a connection; a `Client` of the package `pg` is one. */
export interface PostgresConnection {
  query(text: string, values?: SqlValue[]): Promise<{ readonly rows: readonly SqlRow[] }>
  end(): Promise<void>
  on(event: 'error' | 'end', listener: () => void): unknown
}

/** How to open the store. */
export interface PostgresStoreOptions {
  /** Opens a connection that nobody else uses. */
  readonly connect: () => Promise<PostgresConnection>
  /** Name of the group on this server: one of its nodes leads at a time. */
  readonly group: string
  /** Called once when another node leads and this one stands by. */
  readonly onStandby: () => void
  /** Waits between two tries to lead. */
  readonly pause: () => Promise<void>
}

/** A shared store, held by the leader of the group. */
export interface PostgresStore extends StateStore {
  /** Resolves when the connection is lost, and with it the lead: the node must end. It never resolves after `close`. */
  readonly lost: Promise<NodeError>
}

/**
 * Opens the store as the leader of its group; as long as another node leads, it waits.
 * @returns the store; migrate it before use
 * @throws NodeError `STATE_UNREADABLE` when the server does not answer
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const connection = await connected(options.connect)
  let closing = false
  let lose: (error: NodeError) => void = () => undefined
  const lost = new Promise<NodeError>((resolve) => {
    lose = resolve
  })
  const notice = (): void => {
    if (!closing) lose(leadLost())
  }
  connection.on('error', notice)
  connection.on('end', notice)
  try {
    await lead(connection, options)
  } catch (cause) {
    closing = true
    await connection.end().catch(() => undefined)
    throw cause instanceof NodeError ? cause : unreadable(cause)
  }
  const turn = inOrder()
  const direct = sqlOn(connection)
  return {
    name: 'postgresql',
    lost,
    query: (text, values) => turn(() => direct.query(text, values)),
    run: (text) => turn(() => direct.run(text)),
    transaction: (work) => turn(() => transaction(connection, work)),
    async close() {
      closing = true
      await turn(() => connection.end())
    },
  }
}

/**
 * Reads a group's database as it is at one moment, whoever leads the group and goes on writing.
 * @returns what `read` gives
 * @throws NodeError `STATE_UNREADABLE` when the server does not answer
 */
export async function readPostgres<T>(
  connect: PostgresStoreOptions['connect'],
  read: (sql: Sql) => Promise<T>,
): Promise<T> {
  const connection = await connected(connect)
  connection.on('error', () => undefined)
  try {
    await connection.query('begin isolation level repeatable read read only')
    return await read(sqlOn(connection))
  } finally {
    await connection.end().catch(() => undefined)
  }
}

async function connected(connect: () => Promise<PostgresConnection>): Promise<PostgresConnection> {
  try {
    return await connect()
  } catch (cause) {
    throw unreadable(cause)
  }
}

async function lead(
  connection: PostgresConnection,
  { group, onStandby, pause }: PostgresStoreOptions,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await connection.query(`select pg_try_advisory_lock(hashtextextended($1, 0)) as leads`, [
      `sealpool node group ${group}`,
    ])
    if (rows[0]?.['leads'] === true) return
    if (attempt === 0) onStandby()
    await pause()
  }
}

function sqlOn(connection: PostgresConnection): Sql {
  return {
    async query(text, values = []) {
      return (await connection.query(text, [...values])).rows
    },
    async run(text) {
      await connection.query(text)
    },
  }
}

async function transaction<T>(connection: PostgresConnection, work: (tx: Sql) => Promise<T>): Promise<T> {
  await connection.query('begin')
  let result: T
  try {
    result = await work(sqlOn(connection))
  } catch (error) {
    await connection.query('rollback').catch(() => undefined)
    throw error
  }
  // When this fails, the server may have committed or not: the caller's error, and the lost connection ends the node.
  await connection.query('commit')
  return result
}

function leadLost(): NodeError {
  return new NodeError(
    'STATE_LOST',
    'state.group',
    'the connection to the database is gone and the lead with it; start the node again, it stands by or leads anew',
  )
}

function unreadable(cause: unknown): NodeError {
  return new NodeError(
    'STATE_UNREADABLE',
    'state',
    'the database does not answer; check SEALPOOL_DATABASE_URL and the rights of its user',
    { cause },
  )
}
