/**
 * What tests of the home node's side of a hand-off say of a visit.
 * @module
 */
import type { JsonValue } from '@sealpool/crypto'
import type { HandOffVisit } from '../hand-off/hand-off-visit.js'
import { noiseStream } from '../job/job-noise.js'
import { runOnEngine, tableLoad } from '../job/run-on-engine.js'
import type { HandOffFixture } from './hand-off-fixture.js'

export const putOff = (code: string) => ({ name: 'JobPutOff', code })
export const refusal = (code: string) => ({ name: 'JobRefusal', code })

export function visitsOf(here: HandOffFixture) {
  return {
    /** What the home node would answer itself. */
    ownAnswer: ({ planned, material }: HandOffVisit): Promise<JsonValue> =>
      runOnEngine({
        openEngine: here.context.openEngine,
        planned,
        tables: material.tables.map((table) => tableLoad(table, { paths: table.paths, key: table.key })),
        pseudonymKey: material.pseudonyms,
        noise: noiseStream(material.noise),
      }),
    /** Which calls were made, in order. */
    paths: (): string[] => here.calls.map(({ path }) => path.slice('/v1/hand-off/'.length)),
  }
}
