import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AttestError } from '@sealpool/attest'
import { ContractsError, type Deployment, type Finality, parseDeployment } from '@sealpool/contracts'
import { type Address, type JsonObject, parseAddress } from '@sealpool/crypto'
import { type Account, type Client, createWalletClient, defineChain, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type AgentTokens, agentTokens } from '../access/agent-tokens.js'
import { nodeAccess } from '../access/node-access.js'
import type { ContributionJournal } from '../contribute/contribution-journal.js'
import { fileJournal } from '../contribute/file-journal.js'
import { createPoolClient } from '../index.js'
import type { PoolClient } from '../pool-client.js'
import type { BlobStore } from '../store/blob-store.js'
import { fileBlobStore } from '../store/file-store.js'
import { httpBlobStore } from '../store/http-store.js'
import { ipfsBlobStore } from '../store/ipfs-store.js'
import { s3BlobStore } from '../store/s3-store.js'
import { type Given, type OptionSpec, usage } from './arguments.js'
import type { CliIo } from './io.js'

/** Options that every command about a pool takes; each may stand in the settings file instead. */
export const poolOptions: Readonly<Record<string, OptionSpec>> = {
  config: { value: 'FILE', help: 'settings as JSON; default: sealpool.json when it is there' },
  deployment: { value: 'FILE', help: 'the contracts that you trust, as formatDeployment writes them' },
  pool: { value: 'ADDRESS', help: 'the pool’s contract' },
  policy: { value: 'FILE', help: 'the pool’s policy as you read it, JSON' },
  rpc: { value: 'URL', help: 'a node of the chain that you trust' },
  node: { value: 'URL', help: 'the enclave node' },
  store: {
    value: 'PLACE',
    help: 'where sealed files go: a folder, https://…, s3+https://<host>/<bucket>?region=<r>, ipfs+http://<kubo>:5001',
  },
  finality: {
    value: 'DEPTH',
    help: 'when the end of a job counts: so many blocks on top, or safe or finalized; default 1',
  },
  journal: { value: 'FOLDER', help: 'where unfinished contributions are noted; needed by --resume' },
  'key-file': {
    value: 'FILE',
    help: 'the account’s private key; - reads standard input; else $SEALPOOL_KEY',
  },
  'token-file': {
    value: 'FILE',
    help: 'an agent’s token, to call with instead of signing in; - reads standard input; else $SEALPOOL_TOKEN',
  },
  json: { help: 'print JSON for scripts' },
}

/** One run of the command is over long before. */
const sessionSeconds = 900

const names = ['deployment', 'pool', 'policy', 'rpc', 'node', 'store', 'journal', 'finality'] as const

/** What a command works with. */
export interface Opened {
  readonly client: PoolClient
  /** The pool's chain, through the endpoint that was given. */
  readonly chain: Client
  /** Tokens for agents, through the client's own calls. */
  readonly tokens: AgentTokens
  readonly deployment: Deployment
  readonly pool: Address
  readonly blobStore: BlobStore
  /** Where unfinished contributions are noted; undefined where the settings name no place. */
  readonly journal: ContributionJournal | undefined
  readonly policy: JsonObject
  /** The account, where the command needs one. */
  readonly account: Account | undefined
}

/**
 * Opens the client that settings, environment and options describe. Its calls to the node travel sealed; where the node asks for it,
 * they show the token that was given, or the account signs in.
 *
 * @param given the command's options
 * @param io environment and standard input
 * @param needsKey whether the command signs or sends
 * @throws ClientError `OPTION_INVALID`; ContractsError `ARGUMENT_INVALID` for the deployment
 */
export async function openPool(given: Given, io: CliIo, needsKey: boolean): Promise<Opened> {
  const settings = await readSettings(given)
  const deployment = await readDeployment(settings.need('deployment'))
  const pool = addressOf(settings.need('pool'), '--pool')
  const policy = await readJsonObject(settings.need('policy'), '--policy')
  const token = await readToken(given, io)
  const key = await readKey(given, io)
  if (key === undefined && needsKey)
    throw usage('--key-file', 'this needs an account: give --key-file FILE, --key-file - or $SEALPOOL_KEY')
  const signer = key === undefined ? undefined : accountOf(key)
  const account = needsKey ? signer : undefined
  const tokens = agentTokens(
    nodeAccess({
      sessionSeconds,
      ...(token === undefined ? {} : { token }),
      ...(signer === undefined ? {} : { account: signer }),
    }),
  )
  const rpc = settings.need('rpc')
  const directory = settings.get('journal')
  const journal = directory === undefined ? undefined : fileJournal({ directory })
  const blobStore = openStore(settings.get('store'), io)
  const finality = settings.get('finality')
  const definition = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  })
  const chain = createWalletClient({
    chain: definition,
    transport: http(rpc),
    ...(account === undefined ? {} : { account }),
  })
  const client = createPoolClient({
    chain,
    deployment,
    pool,
    policy,
    nodeUrl: settings.need('node'),
    blobStore,
    ...(finality === undefined ? {} : { finality: finalityOf(finality) }),
    ...(journal === undefined ? {} : { journal }),
    access: tokens.access,
  })
  return { client, chain, tokens, deployment, pool, blobStore, journal, policy, account }
}

interface Settings {
  readonly get: (name: (typeof names)[number]) => string | undefined
  readonly need: (name: (typeof names)[number]) => string
}

async function readSettings(given: Given): Promise<Settings> {
  const named = given.get('config')
  const path = named ?? 'sealpool.json'
  const there =
    named !== undefined ||
    (await stat(path).then(
      () => true,
      () => false,
    ))
  const file = there ? await readJsonObject(path, '--config') : {}
  const unknown = Object.keys(file).filter((name) => !names.some((known) => known === name))
  if (unknown.length > 0) {
    throw usage(
      '--config',
      `unknown settings; there are ${names.join(', ')} (keys and credentials never stand here)`,
    )
  }
  const get: Settings['get'] = (name) => {
    const option = given.get(name)
    if (option !== undefined) return option
    const value = file[name]
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw usage('--config', `${name} must be text`)
    // Paths of a settings file are meant from where it stands.
    const isPath =
      ['deployment', 'policy', 'journal'].includes(name) || (name === 'store' && !/^[a-z0-9+]+:/.test(value))
    return isPath ? resolve(dirname(path), value) : value
  }
  return {
    get,
    need(name) {
      const value = get(name)
      if (value === undefined)
        throw usage(
          `--${name}`,
          `give --${name} ${poolOptions[name]?.value ?? ''}, or "${name}" in the settings file`,
        )
      return value
    },
  }
}

async function readDeployment(path: string): Promise<Deployment> {
  return readAs('--deployment', path, (json) => {
    // A settings file of a demo or a devnet may write the block as a number.
    const block = json['blockNumber']
    return parseDeployment(
      JSON.stringify(typeof block === 'number' ? { ...json, blockNumber: String(block) } : json),
    )
  })
}

function finalityOf(text: string): Finality {
  if (text === 'safe' || text === 'finalized') return { blockTag: text }
  if (/^(?:0|[1-9][0-9]{0,5})$/.test(text)) return { confirmations: Number(text) }
  throw usage('--finality', 'expected a whole number of blocks, safe or finalized')
}

/** A place is written as an address whose scheme says what speaks there, or as a folder. */
function openStore(place: string | undefined, io: CliIo): BlobStore {
  if (place === undefined) {
    const missing = () =>
      Promise.reject(usage('--store', 'give --store PLACE, or "store" in the settings file'))
    return { name: 'memory', put: missing, get: missing, getRange: missing, remove: missing }
  }
  if (/^https?:/.test(place)) return httpBlobStore({ url: place })
  if (/^ipfs\+https?:/.test(place)) return ipfsBlobStore({ url: place.slice('ipfs+'.length) })
  if (/^s3\+https?:/.test(place)) {
    const text = place.slice('s3+'.length)
    const url = URL.canParse(text) ? new URL(text) : undefined
    const [bucket = '', ...prefix] = url?.pathname.slice(1).split('/') ?? []
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: token,
    } = io.env
    if (url === undefined || bucket === '')
      throw usage('--store', 'expected s3+https://<host>/<bucket>?region=<region>')
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw usage('--store', 'S3 needs $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY')
    }
    return s3BlobStore({
      endpoint: url.origin,
      bucket,
      prefix: prefix
        .filter((part) => part !== '')
        .map((part) => `${part}/`)
        .join(''),
      region: url.searchParams.get('region') ?? 'us-east-1',
      credentials: { accessKeyId, secretAccessKey, ...(token === undefined ? {} : { sessionToken: token }) },
    })
  }
  if (/^[a-z0-9+]+:\/\//.test(place))
    throw usage('--store', 'expected a folder, http(s), s3+http(s) or ipfs+http(s)')
  return fileBlobStore({ directory: place })
}

/** The account's key, from a file, standard input or the environment; never from the command line. */
function readKey(given: Given, io: CliIo): Promise<string | undefined> {
  return readOptionalSecret(given, io, 'key-file', 'SEALPOOL_KEY')
}

/** An agent's token, likewise. */
async function readToken(given: Given, io: CliIo): Promise<string | undefined> {
  if (given.get('token-file') === '-' && given.get('key-file') === '-')
    throw usage('--token-file', 'standard input is the key already')
  return (await readOptionalSecret(given, io, 'token-file', 'SEALPOOL_TOKEN'))?.trim()
}

async function readOptionalSecret(
  given: Given,
  io: CliIo,
  option: 'key-file' | 'token-file',
  variable: string,
): Promise<string | undefined> {
  const path = given.get(option)
  if (path !== undefined) return readSecret(path, `--${option}`, io)
  const value = io.env[variable]
  return value === '' ? undefined : value
}

/** A secret from a file, or from standard input for `-`. */
export async function readSecret(path: string, place: string, io: CliIo): Promise<string> {
  if (path === '-') return io.stdin()
  const text = await readText(path, place)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) io.err(`warning: ${place}: others on this machine may read it (chmod 600)\n`)
  return text
}

/** The account of a private key, which errors do not quote. @throws ClientError `OPTION_INVALID` */
export function accountOf(key: string): Account {
  const text = key.trim()
  const hex = text.startsWith('0x') ? text : `0x${text}`
  try {
    if (/^0x[0-9a-fA-F]{64}$/.test(hex)) return privateKeyToAccount(hex as `0x${string}`)
  } catch {
    // Out of the curve's range: told like any other text that is no key.
  }
  throw usage('key', 'the account’s key is not 32 bytes in hexadecimal')
}

/** @throws ClientError `OPTION_INVALID` */
export function addressOf(text: string, place: string): Address {
  try {
    return parseAddress(text.toLowerCase())
  } catch {
    throw usage(place, 'expected 0x and 40 hexadecimal digits')
  }
}

/** @throws ClientError `OPTION_INVALID` when it cannot be read */
export async function readBytes(path: string, place: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    throw usage(place, `the file cannot be read (${code})`)
  }
}

async function readText(path: string, place: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, place))
}

/** @throws ClientError `OPTION_INVALID` when it cannot be read or is no JSON object */
export async function readJsonObject(path: string, place: string): Promise<JsonObject> {
  const text = await readText(path, place)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // Told below.
  }
  throw usage(place, 'the file is not a JSON object')
}

/** A file in the form that a parser of another layer knows. @throws ClientError `OPTION_INVALID` when it cannot be read or is in another */
export async function readAs<Read>(
  place: string,
  path: string,
  parse: (json: JsonObject) => Read,
): Promise<Read> {
  const json = await readJsonObject(path, place)
  try {
    return parse(json)
  } catch (error) {
    if (error instanceof ContractsError || error instanceof AttestError) throw usage(place, error.message)
    throw error
  }
}
