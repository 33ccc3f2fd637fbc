import { expect, test } from 'vitest'
import { saxesReader } from '../xml/index.js'
import { healthRecords } from './health-records.js'
import { defaultSourceLimits, fullLimits } from './source-limits.js'

const distance = (kind: string, sum: string, unit = 'unit="km"') =>
  `<WorkoutStatistics type="HKQuantityTypeIdentifierDistance${kind}" startDate="2024-05-01 18:00:00 +0200" sum="${sum}" ${unit}/>`
const energy = (sum: string) =>
  `<WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="${sum}" unit="kcal"/>`

async function read(inside: string, attributes = '') {
  const bytes = new TextEncoder().encode(
    `<HealthData><Record value="1"/><Workout duration="30" ${attributes}>${inside}</Workout><Record value="2"/></HealthData>`,
  )
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.slice(at, at + 7)
  }
  const records = []
  for await (const each of healthRecords(chunks(), {
    xml: saxesReader,
    limits: fullLimits(defaultSourceLimits),
  }))
    records.push(each)
  expect(records.map(({ kind, value }) => [kind, value])).toEqual([
    ['record', '1'],
    ['workout', null],
    ['record', '2'],
  ])
  const { duration, ...rest } = records[1]?.attributes ?? {}
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
