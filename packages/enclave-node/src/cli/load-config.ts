/**
 * Gathers the settings of a node from a file, the environment and flags (later ones win), and reads the artifacts
 * that the file names.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type NodeConfig, parseNodeConfig } from '../config/node-config.js'
import { type NodeSecrets, parseSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'

/** Flags of `sealpool-node start` that override the file. */
export interface ConfigFlags {
  readonly config: string
  readonly data?: string | undefined
  readonly port?: string | undefined
  readonly rpc?: string | undefined
  readonly secrets?: string | undefined
}

type Json = Record<string, unknown>

/**
 * Reads settings and secrets.
 * @param flags command-line flags
 * @param environment that of {@link loadSettings}, `SEALPOOL_TRANSACTION_KEY`, `SEALPOOL_DATABASE_URL`, `SEALPOOL_SECRETS_FILE`,
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`
 * @returns checked settings and secrets
 * @throws NodeError `CONFIG_FILE_UNREADABLE`, `CONFIG_INVALID`, `SECRET_MISSING`
 */
export async function loadConfig(
  flags: ConfigFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly config: NodeConfig; readonly secrets: NodeSecrets }> {
  const config = await loadSettings(flags, environment)
  const secretsFile = flags.secrets ?? environment['SEALPOOL_SECRETS_FILE']
  const fromFile: Json =
    secretsFile === undefined ? {} : objectOf(await readJson(resolve(secretsFile)), 'secrets file')
  return {
    config,
    secrets: parseSecrets({
      transactionKey: environment['SEALPOOL_TRANSACTION_KEY'] ?? fromFile['transactionKey'],
      databaseUrl: environment['SEALPOOL_DATABASE_URL'] ?? fromFile['databaseUrl'],
      s3: s3Of(environment) ?? fromFile['s3'],
    }),
  }
}

/**
 * Reads the settings. Paths in the file are relative to the file. A pool's `policy`, `poc` and `refiner` and
 * `chain.deployment`, a committee, an earlier policy of a pool's `rescoring`, a federated pool's `policy` and a validated pool's `policy`, `poc` and `refiner` may each be a path to a JSON file instead of the object.
 * @param flags command-line flags
 * @param environment `SEALPOOL_DATA_DIRECTORY`, `SEALPOOL_RPC_URL`, `SEALPOOL_PORT`
 * @returns checked settings
 * @throws NodeError `CONFIG_FILE_UNREADABLE`, `CONFIG_INVALID`
 */
export async function loadSettings(
  flags: ConfigFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<NodeConfig> {
  const path = resolve(flags.config)
  const folder = dirname(path)
  const file = objectOf(await readJson(path), path)
  const chain = { ...objectOf(file['chain'] ?? {}, 'chain') }
  chain['deployment'] = await inline(chain['deployment'], folder)
  const rpcUrl = flags.rpc ?? environment['SEALPOOL_RPC_URL']
  if (rpcUrl !== undefined) chain['rpcUrl'] = rpcUrl
  const pools = Array.isArray(file['pools']) ? file['pools'] : []
  const port = flags.port ?? environment['SEALPOOL_PORT']
  const data = flags.data ?? environment['SEALPOOL_DATA_DIRECTORY']
  const blobStore = storeIn(folder, objectOf(file['blobStore'] ?? {}, 'blobStore'))
  const replicas = blobStore['stores']
  if (Array.isArray(replicas)) {
    blobStore['stores'] = replicas.map((one: unknown, index) =>
      storeIn(folder, objectOf(one, `blobStore.stores.${index}`)),
    )
  }
  const { committee, federation, validates } = file
  const state = { ...objectOf(file['state'] ?? { kind: 'pglite' }, 'state') }
  if (typeof state['tablesDirectory'] === 'string')
    state['tablesDirectory'] = resolve(folder, state['tablesDirectory'])
  return parseNodeConfig({
    ...file,
    ...(committee === undefined || committee === null
      ? {}
      : { committee: await inlineCommittee(objectOf(committee, 'committee'), folder) }),
    ...(federation === undefined || federation === null
      ? {}
      : {
          federation: await inlinePools('federation', objectOf(federation, 'federation'), folder, ['policy']),
        }),
    ...(validates === undefined || validates === null
      ? {}
      : {
          validates: await inlinePools('validates', objectOf(validates, 'validates'), folder, [
            'policy',
            'poc',
            'refiner',
          ]),
        }),
    state,
    dataDirectory:
      data !== undefined
        ? resolve(data)
        : typeof file['dataDirectory'] === 'string'
          ? resolve(folder, file['dataDirectory'])
          : undefined,
    chain,
    ...(port === undefined ? {} : { api: { ...objectOf(file['api'] ?? {}, 'api'), port: Number(port) } }),
    blobStore,
    pools: await Promise.all(pools.map((pool, index) => inlinePool(pool, folder, index))),
  })
}

/** A blob store's settings, with its folder found from where the settings file lies. */
function storeIn(folder: string, store: Json): Record<string, unknown> {
  const { directory } = store
  return typeof directory === 'string' ? { ...store, directory: resolve(folder, directory) } : { ...store }
}

function s3Of(environment: Readonly<Record<string, string | undefined>>): Json | undefined {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}

async function inlinePool(pool: unknown, folder: string, index: number): Promise<Json> {
  const given = objectOf(pool, `pools.${index}`)
  const [policy, poc, refiner] = await Promise.all([
    inline(given['policy'], folder),
    inline(given['poc'], folder),
    inline(given['refiner'], folder),
  ])
  return { ...(await withEarlier(given, `pools.${index}`, folder)), policy, poc, refiner }
}

/** The policies under which a pool's older contributions were sealed. */
async function withEarlier(pool: Json, place: string, folder: string): Promise<Json> {
  if (pool['rescoring'] === undefined || pool['rescoring'] === null) return pool
  const rescoring = objectOf(pool['rescoring'], `${place}.rescoring`)
  const { earlier } = rescoring
  if (!Array.isArray(earlier)) return pool
  return {
    ...pool,
    rescoring: {
      ...rescoring,
      earlier: await Promise.all(earlier.map((policy) => inline(policy, folder))),
    },
  }
}

async function inlineCommittee(given: Json, folder: string): Promise<Json> {
  const roots = Array.isArray(given['roots']) ? given['roots'] : []
  return {
    ...given,
    roots: await Promise.all(
      roots.map(async (root, index) => {
        const one = objectOf(root, `committee.roots.${index}`)
        return { ...one, committee: await inline(one['committee'], folder) }
      }),
    ),
  }
}

/** @param name of the part of the settings. @param members what each of its pools may have in a file of its own */
async function inlinePools(
  name: string,
  given: Json,
  folder: string,
  members: readonly string[],
): Promise<Json> {
  const pools = Array.isArray(given['pools']) ? given['pools'] : []
  return {
    ...given,
    pools: await Promise.all(
      pools.map(async (pool, index) => {
        const place = `${name}.pools.${index}`
        const one = await withEarlier(objectOf(pool, place), place, folder)
        const read = members.map(async (member) => [member, await inline(one[member], folder)] as const)
        return { ...one, ...Object.fromEntries(await Promise.all(read)) }
      }),
    ),
  }
}

async function inline(value: unknown, folder: string): Promise<unknown> {
  return typeof value === 'string' ? readJson(resolve(folder, value)) : value
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new NodeError(
      'CONFIG_FILE_UNREADABLE',
      path,
      'the file cannot be read; check its path and rights',
      { cause },
    )
  }
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may be a secret: it is left out on purpose.
    throw new NodeError(
      'CONFIG_FILE_UNREADABLE',
      path,
      'the file is not JSON; check it with a JSON formatter',
    )
  }
}

function objectOf(value: unknown, place: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NodeError('CONFIG_INVALID', place, 'expected a JSON object')
  }
  return value as Json
}
