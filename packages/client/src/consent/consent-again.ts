import {
  ContractsError,
  type ContributionEvent,
  type Deployment,
  dataRegistryAbi,
  getContributions,
  invoke,
  type Sent,
  type WriteOptions,
} from '@sealpool/contracts'
import { type Digest, digestToHex, encodeHex, platformRandom, type Random } from '@sealpool/crypto'
import { type Address, type Client, parseEventLogs } from 'viem'

/** A contribution under another text. */
export interface ConsentedAgain extends Sent {
  /** The new contribution's identifier. */
  readonly id: bigint
  /** The one that it stands for. */
  readonly previous: bigint
}

/**
 * Contributes the same sealed file under another consent, without uploading anything: the registry records a newer version of the contribution, and
 * the older one counts no more. The node judges the newer one as it judges any. It works while the file is sealed to the pool's present key epoch and
 * policy; else contribute anew.
 *
 * @param chain a viem client with the owner's account, on the deployment's chain
 * @param options besides `WriteOptions` of `@sealpool/contracts`: `deployment`; `pool`; `id` of the contribution; `consentDigest` of the text that the owner agrees to
 *   now; `fromBlock`: where its event may first stand, default the deployment's first block; `random`: for the new number
 * @returns the mined transaction, and the new identifier
 * @throws ContractsError `NOT_FOUND` (no contribution of this pool with this number; entries of Merkle batches are none), `ARGUMENT_INVALID` (the
 *   same text), `REVERTED` (`OwnerNotSender`, `NotWithdrawable`, `EpochNotCurrent`, `EpochPolicyStale`)
 */
export async function consentAgain(
  chain: Client,
  options: WriteOptions & {
    readonly deployment: Deployment
    readonly pool: Address
    readonly id: bigint
    readonly consentDigest: Digest
    readonly fromBlock?: bigint
    readonly random?: Random
  },
): Promise<ConsentedAgain> {
  const { deployment, pool, id, fromBlock, random = platformRandom } = options
  const place = 'consentAgain'
  const range = fromBlock === undefined ? {} : { fromBlock }
  const offered = await getContributions(chain, { deployment, pool, ...range })
  const before = offered.find((one) => one.id === id)
  if (before === undefined)
    throw new ContractsError('NOT_FOUND', place, `the pool has no contribution ${id} of its own`)
  const digest = digestToHex(options.consentDigest)
  if (before.consentDigest === digest)
    throw new ContractsError('ARGUMENT_INVALID', place, 'the contribution stands under this text already')
  const sent = await invoke(chain, {
    ...options,
    address: deployment.dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'contributeVersion',
    args: [id, { ...contributionOf(before), consentDigest: digest, nonce: BigInt(encodeHex(random(8))) }],
  })
  const [event] = parseEventLogs({
    abi: dataRegistryAbi,
    eventName: 'ContributionSuperseded',
    logs: sent.receipt.logs,
  })
  if (event === undefined) throw new ContractsError('NOT_FOUND', place, 'the receipt holds no such event')
  return { ...sent, id: event.args.by, previous: id }
}

function contributionOf({
  owner,
  pool,
  blobDigest,
  commitment,
  schemaId,
  epoch,
  locator,
}: ContributionEvent) {
  return { owner, pool, blobDigest, commitment, schemaId, epoch, locator }
}
