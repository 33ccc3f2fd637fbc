import { ClientError } from '../errors.js'
import type { ContributionInput } from './prepare-contribution.js'

/** What a preflight check found. Its texts are shown to the contributor only, and never sent. */
export interface PreflightFinding {
  readonly id: string
  /** In the contributor's words, for example `The file has the columns that the pool reads`. */
  readonly title: string
  /** `warn` is told and does not stop. */
  readonly result: 'pass' | 'warn' | 'fail'
  readonly detail: string
}

/**
 * Looks at an export before anything leaves the machine: its schema, personal data in it, whether the pool has it already.
 * `@sealpool/refine`, `@sealpool/privacy` and `@sealpool/poc` have what such checks are made of; the app brings those that it
 * needs.
 */
export type PreflightCheck = (
  input: ContributionInput,
  signal?: AbortSignal,
) => PreflightFinding | Promise<PreflightFinding>

/**
 * Demands a size.
 *
 * @param limits bytes; default: at least 1, no upper limit
 * @returns the check; its finding `size` fails for an export outside of the limits, which themselves are allowed
 */
export function sizePreflight(
  limits: { readonly minimumBytes?: number; readonly maximumBytes?: number } = {},
): PreflightCheck {
  const { minimumBytes = 1, maximumBytes = Number.POSITIVE_INFINITY } = limits
  return ({ bytes }) => {
    const fine = bytes.length >= minimumBytes && bytes.length <= maximumBytes
    const detail =
      bytes.length < minimumBytes
        ? `${bytes.length} bytes; at least ${minimumBytes} are expected: is it the right file?`
        : `${bytes.length} bytes${fine ? '' : `; at most ${maximumBytes} are taken: export a shorter period`}`
    return { id: 'size', title: 'The export has a fitting size', result: fine ? 'pass' : 'fail', detail }
  }
}

/**
 * Demands one of some media types.
 *
 * @param allowed for example `['text/csv']`; parameters such as `;charset=utf-8` are not looked at
 * @returns the check; its finding `media-type` fails for any other type; upper and lower case are the same
 */
export function mediaTypePreflight(allowed: readonly string[]): PreflightCheck {
  return ({ mediaType }) => {
    const bare = mediaType.split(';')[0]?.trim().toLowerCase() ?? ''
    const fine = allowed.some((one) => one.toLowerCase() === bare)
    const detail = fine ? bare : `${bare || 'none'}; the pool takes ${allowed.join(', ')}`
    return {
      id: 'media-type',
      title: 'The export is of a kind that the pool takes',
      result: fine ? 'pass' : 'fail',
      detail,
    }
  }
}

/**
 * Runs preflight checks, one after the other.
 *
 * @param input the export
 * @param checks the app's checks
 * @param signal ends them with its reason
 * @returns all findings, in order; a check that breaks is a finding that failed
 */
export async function runPreflight(
  input: ContributionInput,
  checks: readonly PreflightCheck[],
  signal?: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const findings: PreflightFinding[] = []
  for (const [index, check] of checks.entries()) {
    signal?.throwIfAborted()
    try {
      findings.push(await check(input, signal))
    } catch {
      signal?.throwIfAborted()
      // The error's text may quote the export.
      const detail = 'the check itself failed; it may not understand this export'
      findings.push({ id: `check-${index + 1}`, title: 'A check of the export', result: 'fail', detail })
    }
  }
  return findings
}

/** @throws ClientError `PREFLIGHT_FAILED`, naming the checks; their details stay in the findings */
export function requirePreflight(findings: readonly PreflightFinding[]): void {
  const failed = findings.filter(({ result }) => result === 'fail')
  if (failed.length === 0) return
  // Titles and ids are the app's own; a detail may quote the export and is left to `preflight`.
  const names = failed.map(({ title, id }) => `${title} (${id})`).join('; ')
  throw new ClientError(
    'PREFLIGHT_FAILED',
    'preflight',
    `nothing was sent: ${names}; see preflight() for the reasons`,
  )
}
