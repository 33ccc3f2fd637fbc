import { defineRefiner } from '@sealpool/refine/define'
import { roundDecimal } from '@sealpool/refine/normalise'

/** Samples of activities with coarse places. */
export default defineRefiner({
  id: 'samples',
  version: '1.0.0',
  source: 'activity',
  tables: {
    samples: {
      description: 'd',
      columns: {
        at: { type: 'timestamp', nullable: true, description: 'd' },
        latitude: { type: 'decimal', decimals: 2, nullable: true, description: 'd' },
      },
    },
  },
  map: ({ time, latitude }) => ({
    samples: [{ at: time, latitude: latitude === null ? null : roundDecimal(latitude, 2) }],
  }),
})
