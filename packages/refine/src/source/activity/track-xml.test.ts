import { describe, expect, test } from 'vitest'
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

describe.each(['gpx', 'tcx'] as const)('white space in front of %s', (format) => {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n${point[format]('')}`
  const read = async (text: string, size: number) => {
    const bytes = new TextEncoder().encode(text)
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
    }
    const samples: unknown[] = []
    for await (const sample of openSource({
      source: 'activity',
      name: `a.${format}`,
      bytes: chunks(),
      readers: { xml: saxesReader },
    }))
      samples.push(sample)
    return samples
  }
  test('is passed over', async () => {
    for (const front of ['          ', '\r\n\t ', '\n', '\ufeff  '])
      for (const size of [1, 2, 3, 4096])
        expect(await read(front + document, size)).toMatchObject([{ heartRate: 90 }])
  })
  test('nothing else is, and what is refused without it is refused with it', async () => {
    const type = '<!DOCTYPE a [<!ENTITY e "90">]>'
    for (const text of [
      `x${document}`,
      `\u00a0${document}`,
      ` ${type}${point[format]('')}`,
      '   ',
      ` ${document}${document}`,
    ])
      for (const size of [1, 4096])
        await expect(read(text, size)).rejects.toMatchObject({ code: 'XML_INVALID' })
    await expect(read(` ${point[format]('<a>&e;</a>')}`, 4096)).rejects.toMatchObject({ code: 'XML_INVALID' })
  })
})
