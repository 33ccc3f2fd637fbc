/**
 * Opens both sides of contributions that several nodes judge, as far as the settings say so.
 * @module
 */
import { setTimeout } from 'node:timers/promises'
import { type Address, digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { ValidationService } from '../api/node-service.js'
import type { AuditLog } from '../audit/audit-file.js'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import { homeFinder } from '../federation/find-home.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { keysMoved } from '../migration/moved-keys.js'
import { copiesOf } from '../own-copy/copies-of.js'
import { attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import { platformRandom } from '../platform.js'
import { rescoredAgreements } from '../state/rescoring-table.js'
import { countDisputes, disputesFrom, disputesOn, findAgreement } from '../state/verdict-agreement-table.js'
import { askValidators } from '../validation/ask-validators.js'
import { serveValidation, type ValidatedPool } from '../validation/serve-validation.js'
import { acceptedRefiner } from './accepted-refiner.js'
import type { NodeLogger } from './logger.js'
import { serveEarlier } from './serve-earlier.js'

/** Milliseconds that a validator may take for one question: it ends its turn before. */
const peerTimeoutMs = 90_000
/** Milliseconds for the evidence of the other node. */
const evidenceTimeoutMs = 10_000
/** Milliseconds that slow validators have once the others have agreed. */
const graceMs = 2_000
const disputesAtOnce = 100

/** What is opened. */
export interface OpenedValidation {
  /** For ingest; undefined when no pool has validators. */
  readonly panel: IngestContext['validation']
  readonly service: ValidationService
  figures(): Readonly<Record<string, number>>
}

/**
 * @param work whether this node may work now, and whether its keys are with another one
 * @throws NodeError `CONFIG_POOL_MISMATCH` for a pool of another home whose policy or code is not the chain's; `CONFIG_INVALID` when a pool
 * names this node itself among those that judge besides it
 */
export async function openValidation(
  config: NodeConfig,
  node: Omit<IngestContext, 'validation'> & {
    readonly pools: ReadonlyMap<Address, ServedPool>
    readonly simulated: boolean
    readonly audit: Pick<AuditLog, 'write'>
  },
  log: NodeLogger,
  work: { readonly mayWork: () => boolean; readonly moved: () => boolean },
): Promise<OpenedValidation> {
  const { store, chain, keys, now, pools, simulated } = node
  const peers = { random: platformRandom, now, timeoutMs: peerTimeoutMs }
  const finderOf = (nodes: readonly string[]) =>
    homeFinder({
      nodes,
      attest: (url, evidencePolicy) =>
        attestPeer({ ...peers, timeoutMs: evidenceTimeoutMs, url, chain, evidencePolicy, simulated }),
      now,
    })
  let disputes = await countDisputes(store)
  const asked = [...pools.values()].some(({ validators }) => validators !== null)
  for (const { address, validators } of pools.values()) {
    if (validators?.nodes.some((one) => one.address === keys.statementAddress) !== true) continue
    const why = 'this node judges anyway; list the others alone'
    throw new NodeError('CONFIG_INVALID', `pools ${address} validators.nodes`, why)
  }
  const finders = new Map<string, ReturnType<typeof finderOf>>()
  const panel = asked
    ? askValidators({
        keys,
        sign: node.sign,
        limits: node.limits,
        attest: (validator, pool) => {
          const finder = finders.get(validator.url) ?? finderOf([validator.url])
          finders.set(validator.url, finder)
          return finder(validator.address, [pool])
        },
        call: (peer) => openPeer(peer, { ...peers, chainId: chain.chainId, statementKey: keys.statementKey }),
        requireOwnKeys: () => {
          if (work.moved()) throw keysMoved()
        },
        grace: () => setTimeout(graceMs, undefined, { ref: false }),
        patience: () => setTimeout(peerTimeoutMs, undefined, { ref: false }),
        random: platformRandom,
        now,
        onError: (validator, error) =>
          log.warn({ err: error, validator }, 'a validator’s verdict is missing or does not count'),
      })
    : undefined
  const { validates } = config
  const server =
    validates === null
      ? undefined
      : serveValidation({
          pools: await validatedPools(chain, validates.pools),
          chain,
          keys,
          sign: node.sign,
          // What an owner keeps in a store of his own is read from there; nothing is kept here.
          blobStore: copiesOf(node, { keep: 'escrow' }),
          runtime: node.runtime,
          limits: node.limits,
          maximumBlobBytes: node.settings.maximumBlobBytes,
          giveWay: node.giveWay,
          attest: finderOf(validates.nodes),
          mayWork: work.mayWork,
          elapsed: () => performance.now(),
          onError: (error) => log.warn({ err: error }, 'a contribution of another home was not judged'),
        })
  const audit: Pick<AuditLog, 'write'> = {
    write(fact) {
      disputes += 1
      node.audit.write(fact)
    },
  }
  return {
    panel: panel === undefined ? undefined : { ...panel, audit },
    service: {
      server,
      async wordOn(contribution) {
        const [agreement, rescored, disputed] = await Promise.all([
          findAgreement(store, contribution),
          rescoredAgreements(store, contribution),
          disputesOn(store, contribution),
        ])
        return agreement === undefined && rescored.length === 0 && disputed.length === 0
          ? undefined
          : { agreement, rescored, disputes: disputed }
      },
      disputes: (from) => disputesFrom(store, from, disputesAtOnce),
    },
    figures: () => ({
      ...(panel === undefined
        ? {}
        : { verdict_disputes: disputes, validator_statements_rejected: panel.rejected() }),
      ...(server === undefined ? {} : { verdicts_signed_for_others: server.signed() }),
    }),
  }
}

/** Checks the pools of the settings against the chain. */
async function validatedPools(
  chain: IngestContext['chain'],
  pools: NonNullable<NodeConfig['validates']>['pools'],
): Promise<ReadonlyMap<Address, ValidatedPool>> {
  const checked = await Promise.all(
    pools.map(async (given): Promise<ValidatedPool> => {
      const { address, policy: text, poc, refiner, farming, verification, consents, rescoring } = given
      const policy = parsePoolPolicy(text)
      const policyDigest = digestOf(text as JsonValue)
      const onChain = await chain.pool(address)
      const code = sha256Digest(new TextEncoder().encode(poc.code))
      const same =
        policyDigest === onChain.policyDigest &&
        [poc.digest, policy.code.poc, onChain.pocDigest].every((digest) => digest === code)
      if (!same) {
        const why = 'policy or proof are not what the pool accepted; use the accepted files'
        throw new NodeError('CONFIG_POOL_MISMATCH', `validates.pools ${address}`, why)
      }
      return {
        address,
        name: policy.name,
        policy,
        policyDigest,
        chainId: chain.chainId,
        poc: { code: poc.code, digest: poc.digest },
        refiner: acceptedRefiner(
          address,
          refiner,
          [policy.code.refiner, onChain.refinerDigest],
          'validates.pools',
        ),
        farming,
        verification,
        consents,
        rescoring: rescoring && {
          earlier: serveEarlier(address, policy, { rescoring, policy: text, place: 'validates.pools' }),
        },
        // A live pool has no validators.
        keep: 'escrow',
      }
    }),
  )
  return new Map(checked.map((pool) => [pool.address, pool]))
}
