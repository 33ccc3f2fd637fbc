import { expect, test } from 'vitest'
import { saxesReader } from '../../xml/index.js'
import { openSource } from '../open-export.js'

const point = {
  gpx: (inside: string) => `<gpx><trk><trkpt lat="1" lon="2">${inside}<hr>90</hr></trkpt></trk></gpx>`,
  tcx: (inside: string) =>
    `<TrainingCenterDatabase><Activity><Trackpoint>${inside}<HeartRateBpm><Value>90</Value></HeartRateBpm></Trackpoint></Activity></TrainingCenterDatabase>`,
} as const

test.each(['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'])(
  'an element named %s is no field of a sample, and breaks nothing',
  async (element) => {
    for (const format of ['gpx', 'tcx'] as const) {
      const samples: unknown[] = []
      const bytes = new TextEncoder().encode(point[format](`<${element}>1</${element}>`))
      for await (const sample of openSource({
        source: 'activity',
        name: `a.${format}`,
        bytes,
        readers: { xml: saxesReader },
      }))
        samples.push(sample)
      expect(samples).toMatchObject([{ heartRate: 90 }])
    }
  },
)
