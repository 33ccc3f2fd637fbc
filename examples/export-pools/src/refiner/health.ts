import { defineRefiner } from '@sealpool/refine/define'
import { convertUnit, roundDecimal } from '@sealpool/refine/normalise'

const kinds: Readonly<Record<string, 'heart_rate' | 'walking_distance'>> = {
  HKQuantityTypeIdentifierHeartRate: 'heart_rate',
  HKQuantityTypeIdentifierDistanceWalkingRunning: 'walking_distance',
}

/** Apple Health -> heart rates per minute and distances in kilometres, whatever units the phone was set to. */
export default defineRefiner({
  id: 'health',
  version: '1.0.0',
  source: 'health',
  tables: {
    measurements: {
      description: 'One row per measurement.',
      columns: {
        kind: { type: 'text', values: ['heart_rate', 'walking_distance'], description: 'What was measured.' },
        start: { type: 'timestamp', description: 'When it began.' },
        value: { type: 'decimal', decimals: 3, description: 'Beats per minute, or kilometres.' },
      },
    },
  },
  map: ({ kind, type, unit, value, start }) => {
    const found = type === null ? undefined : kinds[type]
    if (kind !== 'record' || found === undefined || value === null || start === null) return {}
    const amount =
      found === 'walking_distance'
        ? convertUnit(value, { from: unit ?? '', to: 'km', decimals: 3 })
        : roundDecimal(value, 3)
    return { measurements: [{ kind: found, start, value: amount ?? '' }] }
  },
})
