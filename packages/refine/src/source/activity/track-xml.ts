/** Samples of GPX 1.0/1.1 (with Garmin's TrackPointExtension) and TCX (Garmin TrainingCenterDatabase v2). */
import type { ActivitySample } from '../../define/record-types.js'
import { RefineError } from '../../errors.js'
import { instantMicroseconds, printInstant } from '../../schema/instant.js'
import type { FullSourceLimits } from '../source-limits.js'
import { textChunks } from '../text-chunks.js'
import { localName, type XmlReader } from '../xml-events.js'
import { emptySample, numberText, type OpenSample } from './sample.js'

type Field = keyof Pick<
  ActivitySample,
  | 'altitude'
  | 'distance'
  | 'heartRate'
  | 'cadence'
  | 'power'
  | 'temperature'
  | 'speed'
  | 'latitude'
  | 'longitude'
>

/** Element (or parent/element) to field, by local names. */
const fields: Readonly<Record<'gpx' | 'tcx', Readonly<Record<string, Field>>>> = {
  gpx: {
    ele: 'altitude',
    hr: 'heartRate',
    cad: 'cadence',
    power: 'power',
    PowerInWatts: 'power',
    atemp: 'temperature',
    speed: 'speed',
  },
  tcx: {
    'Position/LatitudeDegrees': 'latitude',
    'Position/LongitudeDegrees': 'longitude',
    AltitudeMeters: 'altitude',
    DistanceMeters: 'distance',
    'HeartRateBpm/Value': 'heartRate',
    Cadence: 'cadence',
    RunCadence: 'cadence',
    Speed: 'speed',
    Watts: 'power',
  },
}
/** The field of an element; an export may name its elements as objects name what they inherit, `constructor` for one. */
function fieldOf(format: 'gpx' | 'tcx', element: string): Field | undefined {
  return Object.hasOwn(fields[format], element) ? fields[format][element] : undefined
}

const names = {
  gpx: { root: 'gpx', activity: 'trk', point: 'trkpt', time: 'time' },
  tcx: { root: 'TrainingCenterDatabase', activity: 'Activity', point: 'Trackpoint', time: 'Time' },
} as const

const ranges: Readonly<Record<Field, readonly [number, number]>> = {
  latitude: [-90, 90],
  longitude: [-180, 180],
  altitude: [-500, 100_000],
  distance: [0, 1e9],
  heartRate: [0, 500],
  cadence: [0, 1000],
  power: [0, 100_000],
  temperature: [-100, 100],
  speed: [0, 10_000],
}

/**
 * Reads the samples of a track. White space in front of the document, which XML forbids and exports have, is passed over.
 *
 * @param format - `gpx` or `tcx`
 * @param chunks - the export
 * @param options - `xml`: reader of XML; `limits`
 * @returns samples as they come
 * @throws RefineError with `XML_INVALID`, `VALUE_UNKNOWN` (a number or time that is none, or out of range), `ENCODING_INVALID`,
 *   `LIMIT_EXCEEDED`
 */
export async function* trackSamples(
  format: 'gpx' | 'tcx',
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly xml: XmlReader; readonly limits: FullSourceLimits },
): AsyncGenerator<ActivitySample, void, undefined> {
  const { limits } = options
  const named = names[format]
  const path: string[] = []
  let ready: ActivitySample[] = []
  let activity = -1
  let sport: string | null = null
  let sample: OpenSample | undefined
  let text = ''
  let count = 0

  const unknown = (what: string) =>
    new RefineError('VALUE_UNKNOWN', `sample ${count + 1}`, `A ${what} is no value of its kind`)
  const numeric = (field: Field, value: string) => {
    const number = numberText(value.trim())
    const [low, high] = ranges[field]
    if (number === undefined || number < low || number > high) throw unknown(field)
    return number
  }

  const stream = options.xml(
    {
      open(name, attributes) {
        const local = localName(name)
        if (path.length === 0 && local !== named.root) {
          throw new RefineError('XML_INVALID', 'root', `The export's root is not ${named.root}`)
        }
        path.push(local)
        text = ''
        if (local === named.activity) {
          activity += 1
          sport = attributes['Sport']?.toLowerCase() ?? null
        }
        if (local !== named.point) return
        sample = emptySample(Math.max(activity, 0), sport)
        if (format === 'gpx') {
          sample.latitude = numeric('latitude', attributes['lat'] ?? '')
          sample.longitude = numeric('longitude', attributes['lon'] ?? '')
        }
      },
      text(part) {
        text += part
        if (text.length > limits.fieldLength)
          throw new RefineError('LIMIT_EXCEEDED', 'text', 'A text is too long')
      },
      close() {
        const local = path.pop() ?? ''
        const parent = path.at(-1) ?? ''
        const value = text
        text = ''
        if (local === 'type' && parent === 'trk') sport = value.trim().toLowerCase() || null
        if (sample === undefined) return
        if (local === named.point) {
          count += 1
          if (count > limits.records)
            throw new RefineError('LIMIT_EXCEEDED', 'source', 'The export has too many samples')
          ready.push(sample)
          sample = undefined
        } else if (local === named.time && parent === named.point) {
          const micro = instantMicroseconds(value.trim())
          if (micro === undefined) throw unknown('time')
          sample.time = printInstant(micro) ?? null
        } else {
          const field = fieldOf(format, `${parent}/${local}`) ?? fieldOf(format, local)
          if (field !== undefined) sample[field] = numeric(field, value)
        }
      },
    },
    { depth: limits.depth, fieldLength: limits.fieldLength, documentType: 'refuse' },
  )
  let begun = false
  for await (const piece of textChunks(chunks)) {
    // XML allows nothing in front of its declaration; Strava writes blanks there.
    const written: string = begun ? piece : piece.replace(/^[ \t\r\n]+/, '')
    begun ||= written !== ''
    stream.write(written)
    yield* ready
    ready = []
  }
  stream.end()
  yield* ready
}
