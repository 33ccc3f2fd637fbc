import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PreflightCheck, PreflightFinding } from '../contribute/preflight.js'
import { usage } from './arguments.js'
import type { CommandAnswer } from './command.js'
import { harmless } from './io.js'

/**
 * Loads checks of an export from a module of the contributor's own, which imports what it needs (`@sealpool/refine/preflight`,
 * `@sealpool/poc/preflight`) from wherever it stands.
 *
 * @param path of an ES module whose default export is a list of checks
 * @returns the checks; none where no module is named
 * @throws ClientError `OPTION_INVALID`
 */
export async function loadChecks(path: string | undefined): Promise<readonly PreflightCheck[]> {
  if (path === undefined) return []
  const place = '--preflight'
  let module: unknown
  try {
    module = await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    // It is the person's own module, and has not seen the export.
    const why = error instanceof Error ? harmless(error.message.split('\n', 1)[0] ?? '') : 'it threw'
    throw usage(place, `the module cannot be loaded: ${why}`)
  }
  const checks = (module as { readonly default?: unknown }).default
  if (!Array.isArray(checks) || checks.length === 0 || !checks.every((check) => typeof check === 'function'))
    throw usage(place, 'the module’s default export is not a list of checks')
  return checks as readonly PreflightCheck[]
}

const marks = { pass: 'ok ', warn: '!  ', fail: 'NO ' } as const

/** @returns what checks found, for people: titles, and under each what it says */
export function findingsText(findings: readonly PreflightFinding[]): string {
  return findings
    .flatMap(({ title, result, detail }) => [
      `${marks[result]} ${harmless(title)}`,
      ...detail.split('\n').map((line) => `      ${harmless(line)}`),
    ])
    .join('\n')
}

/** @returns the answer of a command that only looked, or that stopped at what it saw */
export function checkedAnswer(findings: readonly PreflightFinding[]): CommandAnswer {
  const isFit = findings.every(({ result }) => result !== 'fail')
  const last = isFit ? 'FIT: nothing was sent, as you asked' : 'NOT FIT: nothing was sent'
  return {
    json: { fit: isFit, sent: false, findings },
    text: `${findingsText(findings)}\n\n${last}`,
    exitCode: isFit ? 0 : 1,
  }
}
