import { defineRefiner } from '@sealpool/refine/define'
import { roundDecimal } from '@sealpool/refine/normalise'

/** Samples of a ride out of GPX, TCX or FIT, for the conformance cases. */
export default defineRefiner({
  id: 'ride',
  version: '1.0.0',
  source: 'activity',
  tables: {
    samples: {
      description: 'One row per moment.',
      columns: {
        at: { type: 'timestamp', description: 'Moment.' },
        latitude: { type: 'decimal', decimals: 5, description: 'Degrees north.' },
        longitude: { type: 'decimal', decimals: 5, description: 'Degrees east.' },
        altitude: { type: 'decimal', decimals: 1, nullable: true, unit: 'm', description: 'Height.' },
        heart_rate: { type: 'integer', nullable: true, unit: '/min', description: 'Heart rate.' },
        sport: { type: 'text', nullable: true, description: 'Kind of activity.' },
      },
    },
  },
  map: ({ time, latitude, longitude, altitude, heartRate, sport }) => ({
    samples: [
      {
        at: time ?? '',
        latitude: roundDecimal(latitude ?? '', 5) ?? '',
        longitude: roundDecimal(longitude ?? '', 5) ?? '',
        altitude: altitude === null ? null : roundDecimal(altitude, 1),
        heart_rate: heartRate,
        sport,
      },
    ],
  }),
})
