/**
 * What holds for every ladder: it shows before it acts, does what the operator may, gives the rest to others to the byte, and does
 * nothing twice.
 * @module
 */
import type { IncidentKind } from '../incident/incident-record.js'
import { waitFor } from './drill-people.js'
import type { DrillStage } from './run-drill.js'

/** Goes up a ladder. */
export async function checkLadder(
  stage: DrillStage,
  kind: IncidentKind,
  expected: {
    /** How many transactions are for others. */
    readonly forOthers: number
    /** What happens between what the operator does and what the others do. */
    readonly between: () => Promise<unknown>
    /** Names of steps that stay open. */
    readonly left: readonly string[]
  },
): Promise<void> {
  const before = await quiet(stage)
  await stage.check('a dry run shows the steps and does nothing', async () => {
    const shown = await stage.incident(kind, false)
    const failed = shown.filter(({ outcome }) => outcome === 'failed')
    if (failed.length > 0) return words(failed)
    if (!shown.some(({ outcome }) => outcome === 'due')) return 'no step is due'
    const { ready, reasons } = await stage.readiness()
    const sent = (await stage.sent()) - before
    return ready ? sent === 0 || `${sent} transactions were sent` : reasons.join('; ')
  })
  const acted = await stage.incident(kind, true)
  await stage.check('the operator’s own steps are done', () =>
    words(acted.filter(({ outcome }) => outcome === 'failed' || outcome === 'due' || outcome === 'waiting')),
  )
  await stage.check('/v1/ready says it', async () => {
    const { ready, reasons } = await stage.readiness()
    return !ready && reasons.some((reason) => reason.startsWith(`incident: ${kind} since `))
  })
  await expected.between()
  await stage.check('what is for others stands there as transactions, and does what it says', async () => {
    const sent = await stage.sendForOthers(acted)
    return sent === expected.forOthers || `${sent} transactions`
  })
  await stage.check('the ladder may be run again: all is done, nothing is sent twice', async () => {
    const last = await stage.sent()
    const again = await stage.incident(kind, true)
    const open = again.filter(({ outcome, name }) => outcome !== 'done' && !expected.left.includes(name))
    return open.length > 0 ? words(open) : last === (await stage.sent())
  })
}

/** Waits until the node is ready and has sent what it had to send. @returns how many transactions that were */
async function quiet(stage: DrillStage): Promise<number> {
  let last = -1
  let same = 0
  await waitFor('the node is ready and at rest', async () => {
    const { ready } = await stage.readiness()
    const sent = await stage.sent()
    same = ready && sent === last ? same + 1 : 0
    last = sent
    return same > 5
  })
  return last
}

function words(open: readonly { readonly name: string; readonly detail: string }[]): true | string {
  return open.length === 0 || open.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
}
