import { definePoc, inSteps, refuse } from '@sealpool/poc/define'
import { type Signed, signedExport } from './signed-export.js'

interface Sample {
  readonly second: number
  readonly latitude: number
  readonly longitude: number
  readonly heartRate: number | null
}

interface Ride extends Signed {
  readonly samples: readonly Sample[]
}

const start = /^ lat="(-?\d{1,2}(?:\.\d{1,12})?)" lon="(-?\d{1,3}(?:\.\d{1,12})?)">/

/**
 * A point of a track, from behind `<trkpt` to the next one. The refiner's reader of XML is the one that counts; this one takes what it
 * can be sure of.
 */
function readSample(piece: string): Sample {
  const [, latitude, longitude] = start.exec(piece) ?? refuse('MALFORMED_EXPORT', 'trkpt')
  const [inside = '', behind] = piece.split('</trkpt>')
  if (behind === undefined) return refuse('MALFORMED_EXPORT', 'trkpt')
  const time = /<time>(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z<\/time>/.exec(inside)
  if (time === null) return refuse('POINT_WITHOUT_TIME', 'trkpt')
  const heart = /:hr>(\d{1,3})</.exec(inside)?.[1]
  return {
    second: secondOf(time.slice(1).map(Number)),
    latitude: Number(latitude),
    longitude: Number(longitude),
    heartRate: heart === undefined ? null : Number(heart),
  }
}

/** Seconds since some day, in the Gregorian calendar: approved code has no Date, which would know the time. */
function secondOf([
  year = 0,
  month = 0,
  day = 0,
  hour = 0,
  minute = 0,
  second = 0,
]: readonly number[]): number {
  // Years that begin in March, so that a leap day is the last of its year.
  const years = month > 2 ? year : year - 1
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400)
  const days = 365 * years + leaps + Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day
  return ((days * 24 + hour) * 60 + minute) * 60 + second
}

/** Metres between two points, near enough for speeds: a degree of latitude is 111.2 km. */
function metres(one: Sample, other: Sample): number {
  const north = (other.latitude - one.latitude) * 111_200
  const east = (other.longitude - one.longitude) * 111_200 * Math.cos((one.latitude * Math.PI) / 180)
  return Math.sqrt(north * north + east * east)
}

/** Proof of contribution of a fitness pool: the platform signed the GPX file and the wallet of the account that it is of. */
export default definePoc<Ride>({
  id: 'export-pools/fitness',
  version: '2.0.0',
  sources: [
    {
      kind: 'platform-signature',
      keys: [
        {
          name: 'rides.example',
          algorithm: 'ES256',
          jwk: {
            kty: 'EC',
            crv: 'P-256',
            x: '8pASnujeGuZWlptIweOD6TzUV_JGkc7aR81MZ4DEMpI',
            y: 'u5jA4beLxV9wPW3ncjiYdVUpv2yJUY4JDaHTDJ07S0s',
          },
        },
      ],
    },
  ],
  input: (raw, { facts }) => {
    const signed = signedExport(raw, facts)
    const [, ...pieces] = signed.file.split('<trkpt')
    return { ...signed, samples: pieces.map(readSample) }
  },
  account: ({ account }) => ({ provider: 'rides.example', account }),
  // By the minute and 0.001 degrees (111 metres): two rides of a town differ, a ride whose points were moved a little does not.
  items: ({ samples }) =>
    samples.map(({ second, latitude, longitude }) => ({
      minute: inSteps(second, 60),
      latitude: inSteps(latitude, 0.001),
      longitude: inSteps(longitude, 0.001),
    })),
  checks: {
    owner: ({ wallet }, { facts }) => ({
      passed: wallet === facts.owner,
      dimension: 'ownership',
      place: 'payload.wallet',
      refusal: 'WRONG_OWNER',
    }),
    enough: ({ samples }) => ({
      passed: samples.length >= 20,
      degree: Math.min(1, samples.length / 20),
      place: 'trkpt',
    }),
    // Time goes on, and nobody on a bicycle passes 30 metres in a second.
    possible: ({ samples }) => {
      const steps = samples.slice(1).map((sample, index) => {
        const before = samples[index] ?? sample
        const seconds = sample.second - before.second
        return seconds > 0 && metres(before, sample) <= 30 * seconds
      })
      const sound = steps.filter(Boolean).length
      return {
        passed: sound === steps.length,
        degree: sound / Math.max(1, steps.length),
        weight: 2,
        place: 'trkpt',
      }
    },
    heart: ({ samples }) => {
      const told = samples.flatMap(({ heartRate }) => (heartRate === null ? [] : [heartRate]))
      return {
        passed: told.every((rate) => rate >= 30 && rate <= 230) && new Set(told).size !== 1,
        place: 'trkpt',
      }
    },
  },
  score: { authenticity: 3, ownership: 2, quality: 3 },
  // What the pool has already is worth nothing again, however authentic it is; what has less than a twentieth that is new is refused.
  factors: ['uniqueness'],
  minimumScore: 0.05,
  attributes: ({ samples }) => ({ samples: samples.length }),
})
