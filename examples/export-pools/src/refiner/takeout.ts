import { type ArchiveFile, defineRefiner, type JsonValue } from '@sealpool/refine/define'
import { emailAddress, geohash, roundDecimal } from '@sealpool/refine/normalise'

type Fields = Readonly<Record<string, JsonValue>>

const isObject = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const objectsOf = (value: JsonValue | undefined): readonly Fields[] =>
  (Array.isArray(value) ? value : [value]).filter(isObject)
const textOf = (value: JsonValue | undefined) => (typeof value === 'string' && value !== '' ? value : null)
/** A whole number as its text, `10` or `10.0`; null for anything else, which is no number of JSON either. */
const wholeOf = (value: JsonValue | undefined) => {
  const digits = /^(\d{1,15})(\.0+)?$/.exec(textOf(value) ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}
/** An instant to the second: what is finer tells devices apart. */
const instantOf = (value: JsonValue | undefined) =>
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$/.exec(textOf(value) ?? '')?.[1] ?? null

const dailyMetrics = ({ records }: ArchiveFile) =>
  objectsOf(records).flatMap((row) => {
    const day = textOf(row['Date'])
    const metres = textOf(row['Distance (m)'])
    if (day === null) return []
    const distance = metres === null ? null : roundDecimal(metres, 0)
    return [{ day, steps: wholeOf(row['Step count']), distance }]
  })

const watchHistory = ({ records }: ArchiveFile) =>
  // Titles and addresses of what was watched stay where they are.
  objectsOf(records[0]).flatMap((one) => {
    const time = instantOf(one['time'])
    const header = textOf(one['header'])
    return time === null ? [] : [{ at: `${time}Z`, music: header === 'YouTube Music' }]
  })

const places = ({ records }: ArchiveFile) =>
  objectsOf(objectsOf(records)[0]?.['locations']).flatMap((one) => {
    const time = instantOf(one['timestamp'])
    const [latitude, longitude] = [one['latitudeE7'], one['longitudeE7']]
    if (time === null || typeof latitude !== 'number' || typeof longitude !== 'number') return []
    const cell = geohash(latitude / 1e7, longitude / 1e7, 4)
    return cell === null ? [] : [{ at: `${time}Z`, cell }]
  })

const mails = ({ records }: ArchiveFile) =>
  objectsOf(records).map((mail) => ({
    at: textOf(mail['date']),
    provider: emailAddress(textOf(mail['from']) ?? '')?.split('@')[1] ?? null,
  }))

const metrics = '**/Fit/Daily activity metrics/Daily activity metrics.csv'
const watched = '**/history/watch-history.json'
const locations = '**/Location History*/Records.json'
const boxes = '**/Mail/*.mbox'

/**
 * Archives of the form of Google Takeout in English: folders by product, of which four kinds of files are read and nothing else is
 * opened. An archive without any of them (folders of another language, watch history as HTML) is refused.
 */
export default defineRefiner({
  id: 'takeout',
  version: '1.0.0',
  source: 'archive',
  files: [metrics, watched, locations, boxes],
  tables: {
    days: {
      description: 'One row per day.',
      columns: {
        day: { type: 'date', description: 'Day.' },
        steps: { type: 'integer', nullable: true, min: 0, max: 200_000, description: 'Steps.' },
        distance: { type: 'decimal', decimals: 0, unit: 'm', nullable: true, description: 'Distance.' },
      },
    },
    watched: {
      description: 'One row per video or song.',
      columns: {
        at: { type: 'timestamp', description: 'When it began.' },
        music: { type: 'boolean', description: 'Was it a song?' },
      },
    },
    places: {
      description: 'One row per place that was recorded.',
      columns: {
        at: { type: 'timestamp', description: 'When.' },
        cell: { type: 'text', maxLength: 4, description: 'Geohash of four letters, about 20 by 39 km.' },
      },
    },
    mails: {
      description: 'One row per message.',
      columns: {
        at: { type: 'timestamp', nullable: true, description: 'When it was sent.' },
        provider: {
          type: 'text',
          maxLength: 255,
          nullable: true,
          description: "Domain of the sender's address.",
        },
      },
    },
  },
  map: (file) => {
    const name = file.path.split('/').at(-1)
    if (name === 'Daily activity metrics.csv') return { days: dailyMetrics(file) }
    if (name === 'watch-history.json') return { watched: watchHistory(file) }
    return name === 'Records.json' ? { places: places(file) } : { mails: mails(file) }
  },
})
