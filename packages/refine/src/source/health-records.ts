/** Records of an Apple Health export (`export.xml`: Record, Workout, ActivitySummary). */
import type { HealthRecord } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import { instantMicroseconds, printInstant } from '../schema/instant.js'
import type { FullSourceLimits } from './source-limits.js'
import { textChunks } from './text-chunks.js'
import { localName, type XmlReader } from './xml-events.js'

const kinds: Readonly<Record<string, HealthRecord['kind']>> = {
  Record: 'record',
  Workout: 'workout',
  ActivitySummary: 'activity-summary',
}
const own = new Set(['type', 'unit', 'value', 'startDate', 'endDate', 'sourceName', 'workoutActivityType'])

function recordOf(
  kind: HealthRecord['kind'],
  attributes: Readonly<Record<string, string>>,
  number: number,
): HealthRecord {
  const instant = (name: string) => {
    const text = attributes[name]
    if (text === undefined) return null
    const micro = instantMicroseconds(text)
    if (micro === undefined)
      throw new RefineError('VALUE_UNKNOWN', `record ${number}`, `${name} is no instant`)
    return printInstant(micro) ?? null
  }
  return {
    kind,
    type: attributes['type'] ?? attributes['workoutActivityType'] ?? null,
    unit: attributes['unit'] ?? null,
    value: attributes['value'] ?? null,
    start: instant('startDate'),
    end: instant('endDate'),
    source: attributes['sourceName'] ?? null,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !own.has(name))),
  }
}

/**
 * Reads the records of an Apple Health export as they come.
 *
 * @param chunks - `export.xml`
 * @param options - `xml`: reader of XML; `limits`
 * @returns records, workouts and daily summaries
 * @throws RefineError with `XML_INVALID`, `VALUE_UNKNOWN`, `ENCODING_INVALID` or `LIMIT_EXCEEDED`
 */
export async function* healthRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly xml: XmlReader; readonly limits: FullSourceLimits },
): AsyncGenerator<HealthRecord, void, undefined> {
  const { limits } = options
  let ready: HealthRecord[] = []
  let depth = 0
  let count = 0
  const stream = options.xml(
    {
      open(name, attributes) {
        const local = localName(name)
        if (depth === 0 && local !== 'HealthData') {
          throw new RefineError('XML_INVALID', 'root', "The export's root is not HealthData")
        }
        depth += 1
        const kind = Object.hasOwn(kinds, local) ? kinds[local] : undefined
        // Correlations repeat their records below themselves.
        if (kind === undefined || depth !== 2) return
        count += 1
        if (count > limits.records)
          throw new RefineError('LIMIT_EXCEEDED', 'source', 'The export has too many records')
        ready.push(recordOf(kind, attributes, count))
      },
      text() {
        // Elements of the export hold no text.
      },
      close() {
        depth -= 1
      },
    },
    { depth: limits.depth, fieldLength: limits.fieldLength, documentType: 'elements' },
  )
  for await (const piece of textChunks(chunks)) {
    stream.write(piece)
    yield* ready
    ready = []
  }
  stream.end()
  yield* ready
}
