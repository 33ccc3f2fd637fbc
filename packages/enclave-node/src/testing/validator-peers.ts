/**
 * Validators of a judging world, in memory: each with keys, clock and sandbox of its own, asked through the form of the API's call.
 * @module
 */
import { type Address, digestToHex, type JsonObject, type JsonValue } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { readValidationWish } from '../api/validation-endpoints.js'
import type { AuditFact } from '../audit/audit-chain.js'
import type { ChainPool } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { findContribution } from '../state/contribution-table.js'
import { askValidators } from '../validation/ask-validators.js'
import {
  type ServeValidationOptions,
  serveValidation,
  type ValidationServer,
} from '../validation/serve-validation.js'
import type { judgingWorld } from './judging-world.js'
import { digestOfDigit } from './served-pool-fixture.js'

/** What a test may change of a validator. */
export interface ValidatorPeer {
  readonly keys: NodeKeyRing
  readonly server: ValidationServer
  away: boolean
  /** What it answers instead, made of what it would answer. */
  answers: ((honest: JsonObject, body: JsonObject) => JsonValue | Promise<JsonValue>) | undefined
  /** Questions that it was asked, as they came. */
  readonly asked: JsonObject[]
}

/** A sandbox in which the proof's results come out otherwise. */
export function tampered(runtime: JobRuntime, change: JsonObject): JobRuntime {
  return {
    ...runtime,
    run: async (job) => {
      const result = await runtime.run(job)
      return job.entry === 'evaluate' && result.ok
        ? { ...result, output: { ...(result.output as JsonObject), ...change } }
        : result
    },
  }
}

/** A sandbox in which every proof runs until a clock ends it. */
export function tooSlow(runtime: JobRuntime): JobRuntime {
  return {
    ...runtime,
    run: async (job) =>
      job.entry === 'evaluate'
        ? { ok: false, code: 'TIMEOUT', message: 'too slow', place: 'run' }
        : runtime.run(job),
  }
}

/**
 * Gives a world validators.
 * @param runtimes one for each
 */
export function validatorPeers(
  world: Awaited<ReturnType<typeof judgingWorld>>,
  {
    threshold,
    runtimes,
    change = {},
    onChain = {},
    grace,
    patience,
  }: {
    readonly threshold: number
    readonly runtimes: readonly JobRuntime[]
    readonly change?: Partial<ServeValidationOptions>
    /** What the chain says of the pool otherwise. */
    readonly onChain?: Partial<ChainPool>
    readonly grace?: () => Promise<void>
    readonly patience?: () => Promise<void>
  },
) {
  const errors: string[] = []
  const facts: AuditFact[] = []
  const { keys: home, sign } = world.context()
  const rings = runtimes.map((_, index) =>
    openKeyRing(new Uint8Array(32).fill(20 + index), digestOfDigit('8')),
  )
  const nodes = rings.map(({ statementAddress: address }, index) => ({
    address,
    url: `http://validator-${index}`,
  }))
  world.rule({ ...world.pool(), validators: { threshold, nodes } })
  const attested = (keys: NodeKeyRing): AttestedPeer => ({
    url: `http://${keys.statementAddress}`,
    statementAddress: keys.statementAddress,
    keySet: keys.keySet,
    keySetDigest: keys.keySetDigest,
    measurement: digestToHex(digestOfDigit('7')),
    simulated: true,
  })
  const peers = new Map<Address, ValidatorPeer>()
  for (const [index, keys] of rings.entries()) {
    const runtime = runtimes[index] ?? world.runtime
    const pool = world.pool()
    const { blobStore, limits, settings, giveWay, chain } = world.context()
    const server = serveValidation({
      pools: new Map([[pool.address, pool]]),
      chain: {
        chainId: pool.chainId,
        head: async () => ({ number: 1_000n, hash: '0x', timestamp: 0 }),
        blockTime: chain.blockTime,
        pool: async () => ({
          name: pool.name,
          policyDigest: pool.policyDigest,
          pocDigest: pool.poc.digest,
          refinerDigest: pool.refiner.digest,
          keyEpoch: {
            epoch: 1,
            policyDigest: pool.policyDigest,
            keyDigest: digestOfDigit('1'),
            node: home.statementAddress,
          },
          restrictions: [],
          pausedUntil: 0,
          ...onChain,
        }),
        contributions: async (from) => {
          const { store } = world.context()
          const rows = await store.query('select id::text from contributions where block_number = $1', [
            from.toString(),
          ])
          const found = await Promise.all(rows.map((row) => findContribution(store, String(row['id']))))
          return found.flatMap((row) => row ?? [])
        },
      },
      keys,
      sign,
      blobStore: { get: (...asked) => (change.blobStore ?? blobStore).get(...asked) },
      runtime,
      limits,
      maximumBlobBytes: settings.maximumBlobBytes,
      giveWay,
      attest: async () => attested(home),
      mayWork: () => true,
      elapsed: () => 0,
      onError: (error) => errors.push(String(error)),
      ...change,
    })
    peers.set(keys.statementAddress, { keys, server, away: false, answers: undefined, asked: [] })
  }
  const peerOf = (address: Address): ValidatorPeer => {
    const peer = peers.get(address)
    if (peer === undefined) throw new RangeError('no such validator')
    return peer
  }
  const panel = askValidators({
    keys: home,
    sign,
    limits: world.context().limits,
    attest: async ({ address }) => {
      const peer = peerOf(address)
      if (peer.away) throw new NodeError('NODE_UNREACHABLE', 'validator', 'away')
      return attested(peer.keys)
    },
    call: ({ statementAddress }) => {
      const peer = peerOf(statementAddress)
      return async ({ body: given }) => {
        const body = JSON.parse(JSON.stringify(given)) as JsonObject
        peer.asked.push(body)
        const wish = readValidationWish(body)
        if (wish === undefined) return { status: 400, body: { error: { code: 'VALIDATION_BODY' } } }
        const honest = JSON.parse(
          JSON.stringify(await peer.server.judge(home.statementAddress, wish)),
        ) as JsonObject
        const { answers } = peer
        return { status: 200, body: answers === undefined ? honest : await answers(honest, body) }
      }
    },
    requireOwnKeys: () => undefined,
    // Who is slow is waited for, unless a test says otherwise.
    grace: grace ?? (() => new Promise(() => undefined)),
    patience: patience ?? (() => new Promise(() => undefined)),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    now: () => world.context().now(),
    onError: (_, error) => errors.push(String(error)),
  })
  world.validateWith({ ...panel, audit: { write: (fact: AuditFact) => facts.push(fact) } })
  const list = rings.map(({ statementAddress }) => peerOf(statementAddress))
  return {
    panel,
    peers: list,
    errors,
    facts,
    home,
    validators: [home, ...rings].map((one) => one.statementAddress),
  }
}
