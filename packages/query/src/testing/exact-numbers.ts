import type { SqlEngine } from '../engine/engine.js'
import { exactGroups } from '../execute/statistics.js'
import { type QueryPlan, releasesOf } from '../plan/plan.js'

/** Every exact number of a plan that reaches noise, in a form that can be compared between engines. */
export async function exactNumbers(plan: QueryPlan, engine: SqlEngine) {
  const groups = []
  for (const release of releasesOf(plan)) groups.push(await exactGroups(release, engine))
  return groups.map((release) =>
    release.map(({ keys, set, statistics, bins }) => ({
      keys,
      set,
      statistics: statistics.map(String),
      bins: [...bins].map(([statistic, counts]) => [statistic, counts.map(String)]),
    })),
  )
}
