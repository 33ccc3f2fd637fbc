import { expect, test } from 'vitest'
import { saxesReader } from '../xml/index.js'
import { healthRecords } from './health-records.js'
import { defaultSourceLimits, fullLimits, type SourceLimits } from './source-limits.js'

const distance = (kind: string, sum: string, unit = 'unit="km"') =>
  `<WorkoutStatistics type="HKQuantityTypeIdentifierDistance${kind}" startDate="2024-05-01 18:00:00 +0200" sum="${sum}" ${unit}/>`
const energy = (sum: string) =>
  `<WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="${sum}" unit="kcal"/>`

async function workoutWith(inside: string, attributes = '', limits: Partial<SourceLimits> = {}) {
  const bytes = new TextEncoder().encode(
    `<HealthData><Record value="1"/><Workout duration="30" ${attributes}>${inside}</Workout><Record value="2"/></HealthData>`,
  )
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.slice(at, at + 7)
  }
  const records = []
  for await (const each of healthRecords(chunks(), {
    xml: saxesReader,
    limits: fullLimits({ ...defaultSourceLimits, ...limits }),
  }))
    records.push(each)
  expect(records.map(({ kind, value }) => [kind, value])).toEqual([
    ['record', '1'],
    ['workout', null],
    ['record', '2'],
  ])
  return records[1]
}

async function read(inside: string, attributes = '') {
  const { duration, ...rest } = (await workoutWith(inside, attributes))?.attributes ?? {}
  expect(duration).toBe('30')
  return rest
}

test('distance and energy of a workout are read from its statistics (iOS 16)', async () => {
  const heart = '<WorkoutStatistics type="HKQuantityTypeIdentifierHeartRate" average="150" unit="count/min"/>'
  const basal = '<WorkoutStatistics type="HKQuantityTypeIdentifierBasalEnergyBurned" sum="45" unit="kcal"/>'
  const want = {
    totalDistance: '5.01',
    totalDistanceUnit: 'km',
    totalEnergyBurned: '320.5',
    totalEnergyBurnedUnit: 'kcal',
  }
  expect(await read(heart + basal + energy('320.5') + distance('WalkingRunning', '5.01'))).toEqual(want)
  expect(await read(distance('Cycling', '20'))).toEqual({ totalDistance: '20', totalDistanceUnit: 'km' })
  expect(await read(heart + basal)).toEqual({})
})

test('attributes of the workout are its totals, whatever its statistics say', async () => {
  const attributes = 'totalDistance="3" totalDistanceUnit="mi"'
  expect(await read(distance('WalkingRunning', '5') + energy('7'), attributes)).toEqual({
    totalDistance: '3',
    totalDistanceUnit: 'mi',
    totalEnergyBurned: '7',
    totalEnergyBurnedUnit: 'kcal',
  })
})

test('no total is made of several, of a part of the workout, or of a sum without its unit', async () => {
  for (const inside of [
    distance('Swimming', '1') + distance('Cycling', '40'),
    distance('Swimming', '1') + distance('Cycling', '40') + distance('WalkingRunning', '10'),
    `<WorkoutActivity>${distance('Swimming', '1')}</WorkoutActivity>`,
    distance('WalkingRunning', '5', ''),
  ])
    expect(await read(inside)).toEqual({})
})

test('parts of a workout are told with their own totals, and nothing of them is the workout’s', async () => {
  const part = (uuid: string, minute: string, inside: string) =>
    `<WorkoutActivity uuid="${uuid}" startDate="2024-05-01 18:${minute}:00 +0200" duration="10" durationUnit="min">${inside}</WorkoutActivity>`
  const event = `<WorkoutEvent type="HKWorkoutEventTypeSegment"><MetadataEntry key="a" value="b"/></WorkoutEvent>`
  const deep = `<MetadataEntry key="a" value="b">${distance('Cycling', '9')}</MetadataEntry>`
  const workout = await workoutWith(
    part('swim', '00', distance('Swimming', '1') + energy('80') + event + deep) +
      distance('Swimming', '1') +
      part('ride', '10', distance('Cycling', '40')) +
      event +
      distance('Cycling', '40') +
      part('rest', '50', '') +
      deep,
  )
  const own = { duration: '10', durationUnit: 'min' }
  expect(workout?.attributes).toEqual({ duration: '30' })
  expect(workout?.parts).toEqual([
    {
      start: '2024-05-01T16:00:00Z',
      end: null,
      attributes: {
        ...own,
        uuid: 'swim',
        totalDistance: '1',
        totalDistanceUnit: 'km',
        totalEnergyBurned: '80',
        totalEnergyBurnedUnit: 'kcal',
      },
    },
    {
      start: '2024-05-01T16:10:00Z',
      end: null,
      attributes: { ...own, uuid: 'ride', totalDistance: '40', totalDistanceUnit: 'km' },
    },
    { start: '2024-05-01T16:50:00Z', end: null, attributes: { ...own, uuid: 'rest' } },
  ])
  expect(Object.hasOwn((await workoutWith(distance('Cycling', '9'))) ?? {}, 'parts')).toBe(false)
})

test('parts count as records do, and one with a moment that is none is refused by its workout', async () => {
  const part = '<WorkoutActivity uuid="a"/>'
  expect((await workoutWith(part.repeat(7), '', { records: 10 }))?.parts).toHaveLength(7)
  await expect(workoutWith(part.repeat(8), '', { records: 10 })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  })
  await expect(workoutWith('<WorkoutActivity startDate="soon"/>')).rejects.toMatchObject({
    code: 'VALUE_UNKNOWN',
    place: 'record 2',
  })
})
