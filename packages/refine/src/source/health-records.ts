/** Records of an Apple Health export (`export.xml`: Record, Workout, ActivitySummary). */
import type { HealthRecord, WorkoutPart } from '../define/record-types.js'
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

/** Sums by the attribute that tells them; undefined for one that several tell. */
type Sums = Map<string, { readonly sum: string; readonly unit: string } | undefined>

/** A workout that has not ended, with the sums that stand in it, and its parts with theirs. */
interface OpenWorkout {
  readonly record: HealthRecord
  readonly sums: Sums
  readonly parts: { readonly part: WorkoutPart; readonly sums: Sums }[]
}

/** Takes a WorkoutStatistics; of a total that several tell, distances swum and run for one, none is the workout's. */
function takeStatistics(sums: Sums, { type = '', sum, unit }: Readonly<Record<string, string>>): void {
  const total = totals.find((each) => each.type.test(type))
  if (total === undefined || sum === undefined || unit === undefined) return
  sums.set(total.attribute, sums.has(total.attribute) ? undefined : { sum, unit })
}

function withTotals<Told extends WorkoutPart>(told: Told, sums: Sums): Told {
  const added: [string, string][] = []
  for (const [attribute, found] of sums) {
    if (found === undefined || Object.hasOwn(told.attributes, attribute)) continue
    added.push([attribute, found.sum], [`${attribute}Unit`, found.unit])
  }
  return added.length === 0
    ? told
    : { ...told, attributes: { ...told.attributes, ...Object.fromEntries(added) } }
}

function ended({ record, sums, parts }: OpenWorkout): HealthRecord {
  const whole = withTotals(record, sums)
  return parts.length === 0
    ? whole
    : { ...whole, parts: parts.map(({ part, sums: own }) => withTotals(part, own)) }
}

/** Start and end of an element, and what else it says. */
function partOf(attributes: Readonly<Record<string, string>>, place: string): WorkoutPart {
  const instant = (name: string) => {
    const text = attributes[name]
    if (text === undefined) return null
    const micro = instantMicroseconds(text)
    if (micro === undefined) throw new RefineError('VALUE_UNKNOWN', place, `${name} is no instant`)
    return printInstant(micro) ?? null
  }
  return {
    start: instant('startDate'),
    end: instant('endDate'),
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !own.has(name))),
  }
}

function recordOf(
  kind: HealthRecord['kind'],
  attributes: Readonly<Record<string, string>>,
  place: string,
): HealthRecord {
  const { start, end, attributes: others } = partOf(attributes, place)
  return {
    kind,
    type: attributes['type'] ?? attributes['workoutActivityType'] ?? null,
    unit: attributes['unit'] ?? null,
    value: attributes['value'] ?? null,
    start,
    end,
    source: attributes['sourceName'] ?? null,
    attributes: others,
  }
}

/**
 * Reads the records of an Apple Health export as they come. Distance and active energy of a workout, which exports since iOS 16 write
 * in `WorkoutStatistics` below it, are its attributes `totalDistance`, `totalDistanceUnit`, `totalEnergyBurned`,
 * `totalEnergyBurnedUnit`, as in older ones; distances of several kinds have no total. Its parts (`WorkoutActivity`) are its `parts`, with
 * their own.
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
  let [records, elements] = [0, 0]
  let workout: OpenWorkout | undefined
  let inPart: OpenWorkout['parts'][number] | undefined
  const counted = () => {
    elements += 1
    if (elements > limits.records)
      throw new RefineError('LIMIT_EXCEEDED', 'source', 'The export has too many records')
  }
  /** Of what stands below a workout, sums and parts are read, and below a part its sums. */
  const openInside = (
    { sums, parts }: OpenWorkout,
    name: string,
    attributes: Readonly<Record<string, string>>,
  ) => {
    if (depth === 3 && name === 'WorkoutActivity') {
      counted()
      inPart = { part: partOf(attributes, `record ${records}`), sums: new Map() }
      parts.push(inPart)
    } else if (name === 'WorkoutStatistics' && depth === 3) takeStatistics(sums, attributes)
    else if (name === 'WorkoutStatistics' && depth === 4 && inPart !== undefined)
      takeStatistics(inPart.sums, attributes)
  }
  const stream = options.xml(
    {
      open(name, attributes) {
        const local = localName(name)
        if (depth === 0 && local !== 'HealthData') {
          throw new RefineError('XML_INVALID', 'root', "The export's root is not HealthData")
        }
        depth += 1
        const kind = Object.hasOwn(kinds, local) ? kinds[local] : undefined
        if (workout !== undefined && depth > 2) openInside(workout, local, attributes)
        // Correlations repeat their records below themselves.
        if (kind === undefined || depth !== 2) return
        counted()
        records += 1
        const record = recordOf(kind, attributes, `record ${records}`)
        if (kind === 'workout') workout = { record, sums: new Map(), parts: [] }
        else ready.push(record)
      },
      text() {
        // Elements of the export hold no text.
      },
      close() {
        depth -= 1
        if (depth === 2) inPart = undefined
        if (depth !== 1 || workout === undefined) return
        ready.push(ended(workout))
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
