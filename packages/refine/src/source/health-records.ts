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

/** What a workout's statistics tell since iOS 16, in the attributes that told it before. */
const totals = [
  { attribute: 'totalDistance', type: /^HKQuantityTypeIdentifierDistance/ },
  { attribute: 'totalEnergyBurned', type: /^HKQuantityTypeIdentifierActiveEnergyBurned$/ },
] as const

/** A workout that has not ended, with the sums that stand in it. */
interface OpenWorkout {
  readonly record: HealthRecord
  readonly sums: Map<string, { readonly sum: string; readonly unit: string } | undefined>
}

/** Takes a WorkoutStatistics; of a total that several tell, distances swum and run for one, none is the workout's. */
function takeStatistics(
  { sums }: OpenWorkout,
  { type = '', sum, unit }: Readonly<Record<string, string>>,
): void {
  const total = totals.find((each) => each.type.test(type))
  if (total === undefined || sum === undefined || unit === undefined) return
  sums.set(total.attribute, sums.has(total.attribute) ? undefined : { sum, unit })
}

function withTotals({ record, sums }: OpenWorkout): HealthRecord {
  const told: [string, string][] = []
  for (const [attribute, found] of sums) {
    if (found === undefined || Object.hasOwn(record.attributes, attribute)) continue
    told.push([attribute, found.sum], [`${attribute}Unit`, found.unit])
  }
  return told.length === 0
    ? record
    : { ...record, attributes: { ...record.attributes, ...Object.fromEntries(told) } }
}

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
 * Reads the records of an Apple Health export as they come. Distance and active energy of a workout, which exports since iOS 16 write
 * in `WorkoutStatistics` below it, are its attributes `totalDistance`, `totalDistanceUnit`, `totalEnergyBurned`,
 * `totalEnergyBurnedUnit`, as in older ones; distances of several kinds have no total.
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
  let workout: OpenWorkout | undefined
  const stream = options.xml(
    {
      open(name, attributes) {
        const local = localName(name)
        if (depth === 0 && local !== 'HealthData') {
          throw new RefineError('XML_INVALID', 'root', "The export's root is not HealthData")
        }
        depth += 1
        const kind = Object.hasOwn(kinds, local) ? kinds[local] : undefined
        if (depth === 3 && workout !== undefined && local === 'WorkoutStatistics')
          takeStatistics(workout, attributes)
        // Correlations repeat their records below themselves.
        if (kind === undefined || depth !== 2) return
        count += 1
        if (count > limits.records)
          throw new RefineError('LIMIT_EXCEEDED', 'source', 'The export has too many records')
        const record = recordOf(kind, attributes, count)
        if (kind === 'workout') workout = { record, sums: new Map() }
        else ready.push(record)
      },
      text() {
        // Elements of the export hold no text.
      },
      close() {
        depth -= 1
        if (depth !== 1 || workout === undefined) return
        ready.push(withTotals(workout))
        workout = undefined
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
