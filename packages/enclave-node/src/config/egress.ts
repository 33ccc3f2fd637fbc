/**
 * Where a node calls, as its settings say: what is not among it can be closed to it.
 * @module
 */
import { NodeError } from '../errors.js'
import type { BlobStoreSettings } from './blob-store-settings.js'
import type { NodeConfig } from './node-config.js'

/** One address that the node calls. */
export interface EgressDestination {
  /** A name, or an address of version 4 or 6 without brackets. */
  readonly host: string
  readonly port: number
  /** The setting that names it. */
  readonly why: string
}

/** Where Intel and AMD give out what belongs to quotes, unless the settings name a mirror. */
const vendors = {
  intel: ['https://api.trustedservices.intel.com', 'https://certificates.trustedservices.intel.com'],
  amd: ['https://kdsintf.amd.com'],
}
const ports: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'ws:': 80,
  'wss:': 443,
  'postgres:': 5432,
  'postgresql:': 5432,
}

/**
 * @param config checked settings
 * @param databaseUrl of a group's PostgreSQL server; nothing but its host and port is looked at
 * @returns every address that the node calls, each once
 * @throws NodeError `CONFIG_INVALID` for a node that serves or judges pools: owners may name stores of their own, wherever these are;
 * and for an address whose host or port cannot be told
 */
export function egressOf(
  config: NodeConfig,
  databaseUrl: string | null = null,
): readonly EgressDestination[] {
  if (config.pools.length > 0 || config.validates !== null) {
    throw new NodeError(
      'CONFIG_INVALID',
      config.pools.length > 0 ? 'pools' : 'validates',
      'this node fetches from stores that contributors name, which may be anywhere; only a node that runs jobs for others alone can be closed',
    )
  }
  const { chain, machine, evidence, keyRelease, catalogue, trace, handOff, federation } = config
  const named: [string, string | null | undefined][] = [
    ['chain.rpcUrl', chain.rpcUrl],
    ['chain.crossCheckRpcUrl', chain.crossCheckRpcUrl],
    ['trace.url', trace?.url],
    ...urlsOfStore(config.blobStore).map((url): [string, string] => ['blobStore', url]),
    ...[...catalogue.nodes].map((url): [string, string] => ['catalogue.nodes', url]),
    ...(handOff?.nodes ?? []).map((url): [string, string] => ['handOff.nodes', url]),
    ...(federation?.nodes ?? []).map((url): [string, string] => ['federation.nodes', url]),
  ]
  if (keyRelease.adapter === 'key-broker') named.push(['keyRelease.url', keyRelease.url])
  if (keyRelease.adapter === 'peers') {
    for (const url of keyRelease.peers) named.push(['keyRelease.peers', url])
  }
  if (evidence.provider !== 'simulator') {
    const intel = machine.collateralUrl === null ? vendors.intel : [machine.collateralUrl]
    for (const url of [...intel, ...vendors.amd]) named.push(['machine.collateralUrl', url])
  }
  if (config.state.kind === 'postgresql') named.push(['SEALPOOL_DATABASE_URL', databaseUrl])
  const all = new Map<string, EgressDestination>()
  for (const [why, url] of named) {
    if (url === null || url === undefined) continue
    const { host, port } = addressOf(url, why)
    all.set(`${host} ${port}`, all.get(`${host} ${port}`) ?? { host, port, why })
  }
  return [...all.values()]
}

function urlsOfStore(store: BlobStoreSettings): readonly string[] {
  switch (store.kind) {
    case 'files':
      return []
    case 's3': {
      const url = new URL(store.endpoint)
      if (store.virtualHost) url.hostname = `${store.bucket}.${url.hostname}`
      return [url.href]
    }
    case 'replicated':
      return store.stores.flatMap(urlsOfStore)
    default:
      return [store.url]
  }
}

function addressOf(text: string, why: string): { readonly host: string; readonly port: number } {
  const { protocol, hostname, port } = new URL(text)
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const number = port === '' ? ports[protocol] : Number(port)
  // What is printed goes into rules: nothing else than a name or an address.
  if (number === undefined || !/^[a-z0-9._:-]{1,253}$/.test(host))
    throw new NodeError(
      'CONFIG_INVALID',
      why,
      'its host or port cannot be told; name it as https://host:port',
    )
  return { host, port: number }
}
