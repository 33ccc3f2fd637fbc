/** What must hold when a scene has come to its end, besides what chain and store say. */
import { readdir } from 'node:fs/promises'
import type { InvariantResult } from './invariants.js'

/** Looks for core files, under the names that Linux gives them by default, with or without the process id. */
export async function noCoreFile(folder: string): Promise<InvariantResult> {
  const names = await readdir(folder, { recursive: true })
  const cores = names.filter((name) => /(^|\/)core(\.\d+)?$/.test(name))
  return { name: 'no core file', checked: names.length, breaches: cores }
}

/** @param starts how often a node was started, @param orphans processes that were there ten seconds after their node */
export function noOrphan(starts: number, orphans: readonly number[]): InvariantResult {
  return {
    name: 'no process outlives its node',
    checked: starts,
    breaches: orphans.map((pid) => `process ${pid} was still there after 10 s`),
  }
}

/** @param ended exit code of a node that was asked to stop, or the signal that ended it */
export function stopsInGoodOrder(ended: number | NodeJS.Signals): InvariantResult {
  return {
    name: 'the node stops in good order',
    checked: 1,
    breaches: ended === 0 ? [] : [`it ended with ${ended}`],
  }
}
