import { defineRefiner } from '@sealpool/refine/define'
import { geohash, roundDecimal } from '@sealpool/refine/normalise'

/** Five places, about a metre: formats differ behind them, and a place at the edge of a cell must not fall into two. */
const metre = (degrees: number) => Number(roundDecimal(degrees, 5))

/** Activities (GPX, TCX, FIT) -> one row per sample, with places no finer than about five kilometres. */
export default defineRefiner({
  id: 'fitness',
  version: '1.0.0',
  source: 'activity',
  tables: {
    samples: {
      description: 'One row per moment of an activity.',
      columns: {
        at: { type: 'timestamp', description: 'Moment.' },
        cell: {
          type: 'text',
          maxLength: 5,
          nullable: true,
          description: 'Geohash of five letters, about 4.9 km.',
        },
        altitude: {
          type: 'decimal',
          decimals: 0,
          unit: 'm',
          nullable: true,
          description: 'Height above the sea.',
        },
        heart_rate: {
          type: 'integer',
          unit: '/min',
          nullable: true,
          min: 20,
          max: 260,
          description: 'Heart rate.',
        },
        sport: { type: 'text', maxLength: 40, nullable: true, description: 'Kind of activity.' },
      },
    },
  },
  map: ({ time, latitude, longitude, altitude, heartRate, sport }) =>
    time === null
      ? {}
      : {
          samples: [
            {
              at: time,
              cell:
                latitude === null || longitude === null
                  ? null
                  : geohash(metre(latitude), metre(longitude), 5),
              altitude: altitude === null ? null : roundDecimal(altitude, 0),
              heart_rate: heartRate,
              sport,
            },
          ],
        },
})
