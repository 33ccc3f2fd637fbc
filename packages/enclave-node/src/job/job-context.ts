import type { BlobStore } from '@sealpool/client'
import type { Address } from '@sealpool/crypto'
import type { SqlEngine } from '@sealpool/query'
import type { HeadPeers } from '../anchor/head-peers.js'
import type { ChainPort } from '../chain/chain-port.js'
import type { inOrder } from '../chain/in-order.js'
import type { EvidenceSource } from '../evidence/node-evidence.js'
import type { Federation } from '../federation/federation.js'
import type { HandOffHome } from '../hand-off/hand-off-home.js'
import type { PartStore } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { JobKeys } from '../key/job-keys.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { LiveTables } from '../live/live-tables.js'
import type { Programs } from '../program/programs.js'
import type { StateStore } from '../state/state-store.js'
import type { Tracer } from '../trace/tracer.js'
import type { JobLock } from './job-lock.js'

/** Everything that jobs work with. */
export interface JobContext {
  readonly store: StateStore
  /** Held by whatever decides about a job. */
  readonly lock: JobLock
  /** Held while a budget ledger is anchored. */
  readonly anchoring: ReturnType<typeof inOrder>
  /** Has the state as it is remembered by other nodes; absent: the settings name none. */
  readonly heads?: Pick<HeadPeers, 'cover'>
  readonly chain: ChainPort
  readonly blobStore: BlobStore
  readonly keys: NodeKeyRing
  /** Keys of single jobs. */
  readonly jobKeys: JobKeys
  /** Whether the registry lists this node with its present key set now; a successor may have the keys by the time that a job ends. */
  readonly isListed: () => Promise<boolean>
  readonly sign: NodeSigner
  readonly evidence: EvidenceSource
  readonly parts: PartStore
  /** Served pools by address in lower case. */
  readonly pools: ReadonlyMap<Address, ServedPool>
  /** Starts an SQL engine in a process of its own, in which contributors' numbers are pseudonyms under the key; the job closes it. */
  readonly openEngine: (options: { readonly pseudonymKey: Uint8Array }) => SqlEngine
  /** Isolation that is really in force, for receipts. */
  readonly isolation: string
  /** Has jobs run by other nodes, where their manifests say so; absent: the settings name no such node. */
  readonly handOff?: HandOffHome
  /** Answers jobs over pools of several homes; absent: the settings name no other home. */
  readonly federation?: Federation
  /** Makes the tables of live pools for jobs; absent: it serves none. */
  readonly live?: LiveTables
  /** Runs programs of pools; absent: the settings name no runtime for any. */
  readonly programs?: Programs | undefined
  /** True when this node does no work now, by an incident's order; absent: it is never asked. */
  readonly stopped?: () => boolean
  /** Notes the steps of jobs; absent: nothing of them leaves the node. */
  readonly trace?: Tracer | undefined
  readonly random: (length: number) => Uint8Array
  /** Unix seconds; decides when something is tried again, and, together with the chain's time, when a presented credential is over. */
  readonly now: () => number
}
