/**
 * Believes a home's refusal for what the home signed: anything else is taken as silence, for which nobody is held to have refused.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { type GivenRefusal, readShareRefusal, type ShareRefusalBody } from './refusal-statement.js'

/** What a refusal must be. */
export interface ExpectedRefusal extends Pick<ShareRefusalBody, 'job' | 'plan' | 'step' | 'coordinator'> {
  readonly manifest: string
  /** The job's first. */
  readonly pool: Address
}

/**
 * @param options `refusal`: what came; `peer`: the home, attested
 * @returns the refusal
 * @throws NodeError `PEER_ANSWER_INVALID` when the home has signed nothing of the kind for this question; `SHARE_DIFFERS` when it
 * knows another job by the number or runs under other keys, which may be one block's matter
 */
export function acceptRefusal(options: {
  readonly refusal: unknown
  readonly peer: Pick<AttestedPeer, 'url' | 'statementAddress' | 'keySetDigest' | 'simulated'>
  readonly deployment: NodeSigner['deployment']
  readonly expected: ExpectedRefusal
}): GivenRefusal {
  const { refusal, peer, deployment, expected } = options
  const { pool, manifest, ...asked } = expected
  const signer = peer.statementAddress
  const read = readShareRefusal(refusal, { signer, deployment, pool, job: asked.job })
  const invalid = (why: string) => new NodeError('PEER_ANSWER_INVALID', peer.url, why)
  if (read === undefined) throw invalid('the home has not signed for its refusal of this job; ask again')
  const { body } = read
  const same = body.plan === asked.plan && body.step === asked.step && body.coordinator === asked.coordinator
  if (!same) throw invalid('the refusal is of another question; ask again')
  if (body.simulated !== peer.simulated)
    throw invalid('the refusal says otherwise than its evidence what it is')
  if (body.manifest !== manifest)
    throw new NodeError('SHARE_DIFFERS', peer.url, 'the home knows another job by this number')
  if (body.keySet !== peer.keySetDigest)
    throw new NodeError('SHARE_DIFFERS', peer.url, 'the refusal is under other keys than were attested')
  return read
}
