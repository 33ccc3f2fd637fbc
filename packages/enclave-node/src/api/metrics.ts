import type { NodeService } from './node-service.js'

/**
 * Prometheus text. Labels are states and pool addresses only: both are public on the chain, nothing is derived from data.
 */
export async function metricsText(node: NodeService): Promise<string> {
  const lines: string[] = []
  const gauge = (
    name: string,
    help: string,
    values: readonly (readonly [labels: string, value: number])[],
  ): void => {
    lines.push(`# HELP sealpool_${name} ${help}`, `# TYPE sealpool_${name} gauge`)
    for (const [labels, value] of values)
      lines.push(`sealpool_${name}${labels === '' ? '' : `{${labels}}`} ${value}`)
  }
  gauge('simulated', '1 when no hardware stands behind the node', [['', node.simulated ? 1 : 0]])
  gauge('ready', '1 when the node works', [['', node.notReady().length === 0 ? 1 : 0]])
  const counts = await Promise.all(
    node.pools().map(async ({ pool }) => ({ pool, states: (await node.contributions(pool)).states })),
  )
  gauge(
    'contributions',
    'contributions by pool and state',
    counts.flatMap(({ pool, states }) =>
      Object.entries(states).map(([state, count]) => [`pool="${pool}",state="${state}"`, count] as const),
    ),
  )
  gauge(
    'jobs',
    'jobs by state',
    Object.entries(await node.jobs()).map(([state, count]) => [`state="${state}"`, count] as const),
  )
  const budgets = await node.budgets()
  gauge(
    'budget_epsilon_spent',
    'epsilon spent by pool',
    budgets.map((one) => [`pool="${one.pool}"`, Number(one.epsilonSpent)]),
  )
  gauge(
    'budget_epsilon_total',
    'epsilon in all by pool',
    budgets.map((one) => [`pool="${one.pool}"`, Number(one.epsilonTotal)]),
  )
  for (const [name, value] of Object.entries(node.figures()))
    gauge(name, `process figure ${name}`, [['', value]])
  return `${lines.join('\n')}\n`
}
