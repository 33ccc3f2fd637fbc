/**
 * Believes a home's share for what the home signed, what it opens to, what the plan charges and what the chain shows.
 * @module
 */
import { budgetProblem, type ReceiptPool, verdictsRoot } from '@sealpool/attest'
import { canonicalize, type Digest, type KeyScope, sha256Digest } from '@sealpool/crypto'
import { fromUnits, toUnits } from '@sealpool/privacy'
import { NodeError } from '../errors.js'
import { openParcel } from '../hand-off/sealed-parcel.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { PoolCharge } from '../job/planned-job.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { GivenShare } from './federation.js'
import { parseShareFile } from './share-file.js'
import { readShareStatement, type ShareBody } from './share-statement.js'

/** Keys that are registered anew while a job is asked about. */
const changing: readonly string[] = ['keySet', 'coordinatorKeys']

/** What a share must be. */
export interface ExpectedShare
  extends Pick<ShareBody, 'job' | 'manifest' | 'plan' | 'coordinator' | 'coordinatorKeys'> {
  /** This home's pools of the job with what the plan charges them and their key epochs on the chain, in the job's order. */
  readonly pools: readonly (PoolCharge<PlannablePool> & { readonly epoch: number })[]
}

/**
 * @param options `peer`: the home, attested; `privateKey`: of the node that coordinates
 * @throws NodeError `SHARE_REFUSED` naming what is wrong; `SHARE_DIFFERS` when the home knows other keys, which may be one block's matter
 */
export async function acceptShare(options: {
  readonly given: { readonly sealed: Uint8Array; readonly share: unknown }
  readonly peer: Pick<AttestedPeer, 'url' | 'statementAddress' | 'keySetDigest' | 'simulated'>
  readonly privateKey: Uint8Array
  readonly chainId: number
  readonly deployment: NodeSigner['deployment']
  readonly expected: ExpectedShare
}): Promise<GivenShare> {
  const { given, peer, privateKey, chainId, deployment, expected } = options
  const refuse = (why: string) => new NodeError('SHARE_REFUSED', peer.url, why)
  const differ = (why: string) => new NodeError('SHARE_DIFFERS', peer.url, why)
  const { pools, ...facts } = expected
  const [first] = pools
  if (first === undefined) throw refuse('the home has no pool of the job')
  const read = readShareStatement(given.share, {
    signer: peer.statementAddress,
    deployment,
    pool: first.pool.address,
    job: expected.job,
  })
  if (read === undefined) throw refuse('it is not signed by the home that was attested, for this job')
  const { body } = read
  const expectedFacts = { ...facts, keySet: peer.keySetDigest, simulated: peer.simulated }
  for (const name of Object.keys(expectedFacts) as (keyof typeof expectedFacts)[]) {
    if (body[name] === expectedFacts[name]) continue
    throw (changing.includes(name) ? differ : refuse)(`it names another ${name}`)
  }
  if (body.pools.length !== pools.length) throw refuse('it is of other pools')
  for (const [index, { pool, charge, epoch }] of pools.entries()) {
    const said = body.pools[index]
    const units = (kind: 'epsilon' | 'delta') => fromUnits(toUnits(charge[kind], kind, 'up'), kind)
    if (said?.pool !== pool.address || said.name !== pool.name) throw refuse('it is of other pools')
    if (said.policy !== pool.policyDigest) throw refuse('it is under another policy')
    if (said.epoch !== epoch) throw differ('it is of another key epoch')
    // Restrictions may add conditions from one block to the next; the block itself is each home's own.
    if (conditionsOf(said.access) !== conditionsOf(pool.access))
      throw differ('it was given under other access conditions')
    const { charged, before, after } = said.budget
    if (charged.epsilon !== units('epsilon') || charged.delta !== units('delta'))
      throw refuse('its pool was not charged what the plan says')
    if (after.version !== before.version + 1) throw refuse('its pool was not charged')
    // A receipt that names it would not verify, and its job be paid for.
    const problem = budgetProblem(said.budget, pool.policy.privacy)
    if (problem !== undefined) throw refuse(`its budget does not add up: ${problem}`)
  }
  if (body.sealed !== sha256Digest(given.sealed)) throw refuse('the statement is of other sealed bytes')
  const scope: KeyScope = {
    chainId,
    pool: first.pool.address,
    policyDigest: first.pool.policyDigest,
    epoch: first.epoch,
  }
  const bytes = await openParcel(given.sealed, { kind: 'share', privateKey, scope })
  if (bytes === undefined) throw refuse('it is not sealed to this node, for this pool, policy and epoch')
  if (body.share !== sha256Digest(bytes)) throw refuse('the statement is of another share')
  const file = parseShareFile(bytes, expected)
  if (file === undefined) throw refuse('it is of another job, manifest or plan, or none')
  const verdicts: Record<string, readonly Digest[]> = {}
  for (const { pool, verdicts: root, inputs } of body.pools) {
    const digests = file.verdicts[pool] ?? []
    if (digests.length !== inputs.count || verdictsRoot(digests) !== root)
      throw refuse('its verdicts are not those that it signed for')
    verdicts[pool] = digests
  }
  return { body, statement: read.signed, share: file.share, noise: file.noise, verdicts }
}

function conditionsOf(access: ReceiptPool['access']): string {
  return canonicalize((access?.conditions ?? []).map(({ rules, verdict }) => ({ rules, verdict })))
}
