import { stepFacts } from '../facts/step-facts.js'
import { sumOfEach } from '../ingest/each.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import type { NodeLogger } from './logger.js'
import type { NodeRecords } from './open-records.js'

/** Rounds in which facts about pools' tables are told. */
export interface FactsRounds {
  /** @returns whether anything was signed or given up */
  round(pools: readonly ServedPool[]): Promise<boolean>
  /** 1 while facts are computed, else 0. */
  underWay(): number
}

/** @returns rounds that are begun only while the node may work */
export function factsRounds(options: {
  readonly job: JobContext
  readonly audit: NodeRecords['audit']
  readonly log: NodeLogger
  /** Whether the node may work now. */
  readonly mayWork: () => boolean
}): FactsRounds {
  const { job, audit, log, mayWork } = options
  let underWay = 0
  const onGivenUp = (pool: ServedPool, number: number, error: unknown) =>
    log.warn({ pool: pool.name, number, err: error }, 'facts that were charged are given up')
  return {
    async round(pools) {
      if (!mayWork() || !(await job.isListed())) return false
      underWay = 1
      try {
        return (await sumOfEach(pools, (pool) => stepFacts({ ...job, audit, onGivenUp }, pool))) > 0
      } finally {
        underWay = 0
      }
    },
    underWay: () => underWay,
  }
}
