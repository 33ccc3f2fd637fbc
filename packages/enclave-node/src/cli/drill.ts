/**
 * What `sealpool-node drill` prints.
 * @module
 */
import type { DrillCheck } from '../drill/run-drill.js'
import type { IncidentKind } from '../incident/incident-record.js'

/**
 * @param kind of incident
 * @param checks what was looked at
 * @returns a table for people
 */
export function drillText(kind: IncidentKind, checks: readonly DrillCheck[]): string {
  const failed = checks.filter(({ ok }) => !ok).length
  return [
    ...checks.map(
      ({ name, ok, detail }) => `${ok ? 'pass' : 'FAIL'}  ${name}${detail === '' ? '' : `: ${detail}`}`,
    ),
    '',
    `drill ${kind} (SIMULATED): ${checks.length - failed} of ${checks.length} checks passed`,
  ].join('\n')
}
