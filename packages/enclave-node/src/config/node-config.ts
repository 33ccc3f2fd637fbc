/**
 * The node's settings: checked as a whole before anything starts. What decides over data is measured (its digest
 * stands in the key set and so in the quote); what only says where this machine keeps and finds things is not.
 * @module
 */
import { type AttestationPolicy, attestationPolicySchema } from '@sealpool/attest'
import { type Address, type Digest, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { anchorsSchema, measuredAnchors, requireAnchorPeers } from './anchor-settings.js'
import { blobStoreSchema } from './blob-store-settings.js'
import { catalogueSettings, requirePeerRules } from './catalogue-settings.js'
import { committeeSchema, measuredCommittee, sealedRootSchema } from './committee-settings.js'
import { digestSchema as digest } from './digest-schema.js'
import {
  federationSchema,
  measuredFederation,
  requireEachPoolOnce,
  requireFederationAnchors,
} from './federation-settings.js'
import { handOffSchema, measuredHandOffs, requireAnyWork, serveHandOffSchema } from './hand-off-settings.js'
import { dstackSocket, nvattest, nvidiaSmi, tsmFolder } from './machine-paths.js'
import { measuredOwnCopies, ownCopiesSchema, requireLiveAlone } from './own-copies-settings.js'
import {
  measuredPrograms,
  programsSchema,
  requireProgramAnchors,
  requireProgramWalls,
} from './program-settings.js'
import { measuredProofRules, proofRules } from './proof-rules.js'
import { refinerFileSchema } from './refiner-file-schema.js'
import { jobRetentionSchema } from './retention-settings.js'
import { measuredTrace, traceSchema } from './trace-settings.js'
import { measuredValidates, requireOthersPools, validatesSchema } from './validator-settings.js'

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
  .transform((text): Address => text.toLowerCase() as Address)
const jsonObject = z.record(z.string(), z.json())
const evidencePolicy = jsonObject.transform((value, context): AttestationPolicy => {
  const read = attestationPolicySchema.safeParse(value)
  if (read.success) return read.data
  context.addIssue({ code: 'custom', message: 'expected an attestation policy; see @sealpool/attest' })
  return z.NEVER
})

const deploymentSchema = z.strictObject({
  chainId: z.int().positive(),
  protocolToken: address,
  nodeRegistry: address,
  dataRegistry: address,
  contributionBatches: address,
  jobBoard: address,
  permissions: address,
  approvals: address,
  poolFactory: address,
  blockNumber: z
    .union([z.int().nonnegative(), z.string().regex(/^\d{1,18}$/)])
    .transform((value) => value.toString()),
})

const poolSchema = z.strictObject({
  address,
  /** The pool's policy; its digest must be the one on the chain. */
  policy: jsonObject,
  /** The accepted proof of contribution. */
  poc: z.looseObject({ code: z.string().min(1), digest }),
  /** The accepted refiner. */
  refiner: refinerFileSchema,
  ...proofRules,
})

const limitsSchema = z.strictObject({
  memoryBytes: z.int().min(1_000_000).max(4_000_000_000).default(64_000_000),
  timeMs: z.int().min(10).max(600_000).default(5_000),
  outputBytes: z.int().min(1_000).max(1_000_000_000).default(16_000_000),
})

const rateSchema = z.strictObject({
  perSecond: z.number().min(0.01).max(1_000_000),
  burst: z.int().min(1).max(1_000_000),
})

/** The settings of a node. */
export const nodeConfigSchema = z.strictObject({
  format: z.literal('sealpool/node-config'),
  version: z.literal(1),
  /** Folder of the node's state, made when absent. */
  dataDirectory: z.string().min(1),
  /** Where the node remembers: embedded in the data folder, or on a PostgreSQL server that a group of nodes shares. */
  state: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('pglite') }),
      z.strictObject({
        kind: z.literal('postgresql'),
        /** Nodes of one group have the same keys and one leader. */
        group: z.string().regex(/^[a-z0-9-]{1,60}$/, 'expected 1 to 60 of a-z, 0-9 and -'),
        /** Folder of the encrypted tables, the same for all nodes of the group. */
        tablesDirectory: z.string().min(1),
      }),
    ])
    .prefault({ kind: 'pglite' }),
  chain: z.strictObject({
    rpcUrl: z.url(),
    /** A second endpoint, run by somebody else: what both do not say alike is not believed. */
    crossCheckRpcUrl: z.url().nullable().default(null),
    /** How many blocks the two endpoints may stand apart. */
    maximumLagBlocks: z.int().min(0).max(1_000).default(5),
    /** Oldest head that is believed, in seconds; null: any. */
    maximumHeadAgeSeconds: z.int().min(1).max(86_400).nullable().default(null),
    /** Milliseconds that one call of an endpoint may take. */
    timeoutMs: z.int().min(100).max(120_000).default(20_000),
    deployment: deploymentSchema,
    /** The contract that anchors budget heads: a charge stands there before its job runs. Null: nothing is anchored. */
    anchors: address.nullable().default(null),
    /** Seconds between signs of life of a job that was begun; the contracts wait an hour. */
    heartbeatSeconds: z.int().min(1).max(3_000).default(900),
    /** Blocks that must follow a block before the node believes it. */
    confirmations: z.int().min(0).max(1000).default(1),
    pollMs: z.int().min(20).max(60_000).default(1_000),
    /** Most blocks read at once. */
    blocksPerRead: z.int().min(1).max(100_000).default(2_000),
  }),
  api: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(8787),
      /** Calls of one address (behind a proxy: of the proxy) for each second, and at once. */
      calls: rateSchema.prefault({ perSecond: 200, burst: 2_000 }),
      /** The same for calls that take a quote, plan a job or run one. */
      costlyCalls: rateSchema.prefault({ perSecond: 50, burst: 500 }),
      /** `open`: anybody may ask for what the role matrix marks so; `signed-in`: only wallets and agents may. */
      access: z.enum(['open', 'signed-in']).default('open'),
      /** Wallets that may sign in as operators: they read figures and the audit log, and no data. */
      operators: z.array(address).max(100).default([]),
      /** Origins of web pages that may call, exactly as browsers name them; none when empty. */
      origins: z
        .array(
          z.string().regex(/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/, 'expected scheme, host and port, no path'),
        )
        .max(100)
        .default([]),
      /** Address under which callers know the node, for sign-ins; null: where it listens. */
      publicUrl: z
        .url({ protocol: /^https?$/ })
        .nullable()
        .default(null),
      /** Longest session of a wallet, in seconds. */
      sessionSeconds: z.int().min(60).max(86_400).default(3_600),
      /** Connections at a time. */
      maximumConnections: z.int().min(1).max(65_535).default(1_000),
    })
    .prefault({}),
  /** Who vouches for the machine. */
  evidence: z.strictObject({
    provider: z.enum(['simulator', 'configfs-tsm', 'dstack']),
    /** SIMULATOR only: name of the simulated machine image, so that upgrades can be tried; each is measured as other code. */
    image: z.string().min(1).max(100).optional(),
    /**
     * GPUs of this machine, which it shows to whoever asks and records in its measured event log: of a dstack guest by NVIDIA's programs, of a
     * simulator SIMULATED ones. Absent: it shows none.
     */
    gpus: z.strictObject({ devices: z.int().min(1).max(64) }).optional(),
  }),
  /** Where the root secret comes from. */
  keyRelease: z.discriminatedUnion('adapter', [
    z.strictObject({ adapter: z.literal('development') }),
    z.strictObject({ adapter: z.literal('dstack') }),
    /** A key broker in the manner of Trustee. */
    z.strictObject({
      adapter: z.literal('key-broker'),
      url: z.url({ protocol: /^https?$/ }),
      resource: z
        .string()
        .regex(/^[A-Za-z0-9_.-]{1,100}(\/[A-Za-z0-9_.-]{1,100}){2}$/, 'expected repository/type/tag'),
      /** `rootDigest` of the secret: whoever stands in for the broker cannot give another one. */
      root: digest,
    }),
    /** t of n peers. */
    z.strictObject({
      adapter: z.literal('peers'),
      peers: z
        .array(z.url({ protocol: /^https?$/ }))
        .min(1)
        .max(100),
      /** The committee's threshold key. */
      key: jsonObject,
      /** The root secret, sealed to it, base64url. */
      envelope: sealedRootSchema,
    }),
    /** The machine's own sealing; only a simulation of it is there yet. */
    z.strictObject({ adapter: z.literal('sealed'), sealer: z.literal('simulated') }),
  ]),
  /**
   * `none`: the root stays with this machine and this code for ever. It is handed to nobody, and when the machine is lost, so is all
   * that was sealed to the node. The sealed root remembers it, so that later settings cannot take it back.
   */
  keyRecovery: z.enum(['allowed', 'none']).default('allowed'),
  /**
   * To which node this one hands its keys when that one asks: its code, and the key set that `sealpool-node migrate` prints there.
   * Null: to none. The chain must allow the code as well.
   */
  migration: z
    .strictObject({ measurement: z.string().regex(/^0x[0-9a-f]{64}$/), keySet: digest })
    .nullable()
    .default(null),
  /** Tells nodes apart that have the same key and otherwise the same measured settings: the registry names one of them. */
  instance: z.string().min(1).max(100).optional(),
  /** By which evidence this node knows other nodes; null: it has no peers. Which code they may run, the chain says besides. */
  peers: z.strictObject({ evidencePolicy }).nullable().default(null),
  anchors: anchorsSchema,
  catalogue: catalogueSettings,
  /** Roots of other nodes of which this one gives parts, as a member of their committees. */
  committee: committeeSchema,
  /** Where this machine has what the two above talk to. */
  machine: z
    .strictObject({
      tsmFolder: z.string().min(1).default(tsmFolder),
      dstackSocket: z.string().min(1).default(dstackSocket),
      nvidiaSmi: z.string().min(1).default(nvidiaSmi),
      nvattest: z.string().min(1).default(nvattest),
      /** Intel's service, or a PCCS that mirrors it, for the collateral of quotes; null: Intel's own. */
      collateralUrl: z.url().nullable().default(null),
    })
    .prefault({}),
  trace: traceSchema,
  blobStore: blobStoreSchema,
  ownCopies: ownCopiesSchema,
  /** None only for a node that runs jobs for others (`serveHandOff`) or judges for them (`validates`). */
  pools: z.array(poolSchema).max(100),
  handOff: handOffSchema,
  serveHandOff: serveHandOffSchema,
  federation: federationSchema,
  validates: validatesSchema,
  retention: jobRetentionSchema,
  sandbox: z
    .strictObject({
      isolation: z.enum(['bubblewrap', 'process', 'best']).default('bubblewrap'),
      proof: limitsSchema.prefault({}),
      refiner: limitsSchema.prefault({ timeMs: 60_000, memoryBytes: 256_000_000 }),
    })
    .prefault({}),
  programs: programsSchema,
  engine: z
    .strictObject({
      memoryBytes: z.int().min(16_000_000).max(1_000_000_000_000).default(512_000_000),
      timeoutMs: z.int().min(100).max(3_600_000).default(60_000),
      /** Jobs under way at the same time, each with an engine and the memory of one. */
      jobsAtOnce: z.int().min(1).max(64).default(2),
      /** Jobs that are begun on the chain and not answered yet: no more are begun, so that a long backlog waits where it times out least. */
      jobsBegun: z.int().min(1).max(10_000).default(16),
    })
    .prefault({}),
  ingest: z
    .strictObject({
      maximumBlobBytes: z.int().min(1).max(1_000_000_000).default(16_000_000),
      /** Blobs fetched and opened at the same time. */
      concurrency: z.int().min(1).max(64).default(4),
      /** Verdicts in one transaction on the chain. */
      batchSize: z.int().min(1).max(200).default(50),
      /** Contributions in one refinement. */
      refinementSize: z.int().min(1).max(10_000).default(500),
      /** How often a missing blob is looked for before the contribution is refused, and how long in between. */
      missingBlobTries: z.int().min(1).max(1_000).default(3),
      missingBlobWaitSeconds: z.int().min(0).max(86_400).default(60),
    })
    .prefault({}),
})

/** Checked settings of a node. */
export type NodeConfig = z.output<typeof nodeConfigSchema>

/** One pool that the node serves, with its policy and code. */
export type PoolConfig = NodeConfig['pools'][number]

/**
 * Checks settings.
 * @param input JSON from a file, with paths already replaced by what they point to
 * @returns the settings with defaults filled in
 * @throws NodeError `CONFIG_INVALID` naming every wrong setting by its path, never its value
 */
export function parseNodeConfig(input: unknown): NodeConfig {
  const parsed = nodeConfigSchema.safeParse(input)
  if (!parsed.success) {
    const wrong = parsed.error.issues
      .slice(0, 10)
      .map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`)
    throw new NodeError('CONFIG_INVALID', 'configuration', wrong.join('; '))
  }
  requireAnyWork(parsed.data)
  requireEachPoolOnce(parsed.data)
  requireOthersPools(parsed.data)
  requireFederationAnchors(parsed.data)
  requireLiveAlone(parsed.data)
  requireProgramWalls(parsed.data)
  requireProgramAnchors(parsed.data)
  if (parsed.data.committee !== null && parsed.data.peers === null) {
    throw new NodeError(
      'CONFIG_INVALID',
      'peers',
      'a member of a committee must know whom it believes: set peers.evidencePolicy',
    )
  }
  requirePeerRules(parsed.data)
  requireAnchorPeers(parsed.data)
  const { keyRecovery, keyRelease, migration, evidence } = parsed.data
  if (keyRecovery === 'none' && (keyRelease.adapter !== 'sealed' || migration !== null)) {
    throw new NodeError(
      'CONFIG_INVALID',
      'keyRecovery',
      'only a root that is sealed to the machine and handed to nobody can be without recovery: set keyRelease.adapter to sealed and no migration',
    )
  }
  if (evidence.image !== undefined && evidence.provider !== 'simulator') {
    throw new NodeError(
      'CONFIG_INVALID',
      'evidence.image',
      'hardware measures its image itself; leave it out',
    )
  }
  if (evidence.gpus !== undefined && evidence.provider === 'configfs-tsm') {
    throw new NodeError(
      'CONFIG_INVALID',
      'evidence.gpus',
      'only a dstack guest can record how its GPUs are set; leave it out, or run as one (evidence.provider)',
    )
  }
  return parsed.data
}

/**
 * The part of the settings that decides over data and is therefore measured: chain, contracts, pools with policy and
 * code digests, isolation and limits. Two nodes with equal measured settings treat data alike wherever they keep it.
 * @param config checked settings
 * @returns canonicalizable JSON
 */
export function measuredConfig(config: NodeConfig): JsonObject {
  return {
    format: 'sealpool/measured-node-config',
    version: 1,
    chain: {
      deployment: config.chain.deployment,
      confirmations: config.chain.confirmations,
      anchors: config.chain.anchors,
      // Two endpoints protect from their operators only when the host cannot replace both.
      endpoints:
        config.chain.crossCheckRpcUrl === null ? null : [config.chain.rpcUrl, config.chain.crossCheckRpcUrl],
      maximumHeadAgeSeconds: config.chain.maximumHeadAgeSeconds,
      maximumLagBlocks: config.chain.maximumLagBlocks,
    },
    evidence: {
      provider: config.evidence.provider,
      ...(config.evidence.image === undefined ? {} : { image: config.evidence.image }),
      ...(config.evidence.gpus === undefined ? {} : { gpus: config.evidence.gpus }),
    },
    keyRelease: config.keyRelease,
    ...(config.keyRecovery === 'allowed' ? {} : { keyRecovery: config.keyRecovery }),
    ...(config.instance === undefined ? {} : { instance: config.instance }),
    // Absent rather than null: nodes without peers have the digests that they always had.
    ...(config.peers === null
      ? {}
      : { peers: digestOf(config.peers.evidencePolicy as unknown as JsonValue) }),
    ...measuredAnchors(config.anchors),
    ...measuredCommittee(config.committee),
    ...measuredTrace(config.trace),
    pools: config.pools
      .map((pool) => ({
        address: pool.address,
        policy: digestOf(pool.policy as JsonValue),
        poc: pool.poc.digest,
        refiner: pool.refiner.digest,
        ...measuredProofRules(pool),
      }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    ...measuredHandOffs(config),
    ...measuredFederation(config.federation),
    ...measuredValidates(config.validates),
    ...measuredOwnCopies(config.ownCopies),
    ...(config.retention === null ? {} : { retention: config.retention }),
    sandbox: config.sandbox,
    ...measuredPrograms(config.programs),
    engine: { memoryBytes: config.engine.memoryBytes, timeoutMs: config.engine.timeoutMs },
    ingest: {
      maximumBlobBytes: config.ingest.maximumBlobBytes,
      missingBlobTries: config.ingest.missingBlobTries,
    },
  }
}

/**
 * The digest of {@link measuredConfig}, as it stands in the key set.
 * @param config - checked settings
 * @returns SHA-256 of the measured part's canonical JSON; the rest of the settings does not change it
 */
export function configDigest(config: NodeConfig): Digest {
  return digestOf(measuredConfig(config))
}
