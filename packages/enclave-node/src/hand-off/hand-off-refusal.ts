/** Why a node does not run a job for another one. None of it depends on data: it is told before any file is opened. */
export const handOffRefusalTexts = {
  LEASH_INVALID: 'the leash cannot be opened with the key of this transfer, or is not one',
  LEASH_EXPIRED: 'the time until which the job may be run here is over',
  LEASH_OTHER_JOB: 'the leash is of another transfer, job or home node',
  MANIFEST_NOT_APPROVED: 'the manifest is not the one that the pools of this job approved on the chain',
  MEASUREMENT_NOT_NAMED: 'the manifest does not name the measurement of this node',
  POLICY_DIFFERS: 'a policy or restriction is not what the chain shows of the pool',
  PLAN_DIFFERS: 'the manifest is planned in another way here',
  ACCESS_NOT_MET: 'the consumer does not meet an access condition of the pools, by what the chain shows here',
  PARTS_DIFFER: 'the files are not those that the leash names',
  SHARD_DIFFERS: 'the leash is of a shard that the manifest does not name, or of none where it names shards',
  SHARD_HELD: 'this node was given another shard of this job',
  TABLES_DIFFER: 'the files are not of exactly the tables that the plan reads',
} as const

/** One of {@link handOffRefusalTexts}. */
export type HandOffRefusalCode = keyof typeof handOffRefusalTexts

/** A refusal of a node that was asked to run a job for another one. */
export class HandOffRefusal extends Error {
  override readonly name = 'HandOffRefusal'
  readonly code: HandOffRefusalCode

  /** @param code why, @param cause the error underneath */
  constructor(code: HandOffRefusalCode, cause?: unknown) {
    super(`${code}: ${handOffRefusalTexts[code]}`, { cause })
    this.code = code
  }
}
