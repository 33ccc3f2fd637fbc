// Exact noise against the randomness it consumes and against the floating-point noise that textbooks print.
import {
  discreteGaussian,
  discreteLaplace,
  gaussianSigmaFor,
  laplaceScaleFor,
  platformRandom,
  predrawn,
} from '@sealpool/privacy'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

/** A randomness port that counts. */
function counting() {
  const port = (length) => {
    port.bytes += length
    port.calls += 1
    return platformRandom(length)
  }
  port.bytes = 0
  port.calls = 0
  return port
}

/** Inverse-transform Laplace in doubles. Unsafe for privacy (Mironov 2012): its gaps tell the value. A yardstick only. */
function textbookLaplace(scale) {
  const uniform = Math.random() - 0.5
  return -scale * Math.sign(uniform) * Math.log(1 - 2 * Math.abs(uniform))
}

export async function run({ print }) {
  printMachine(print)
  const count = 4_000
  const costs = { epsilon: 0.5, delta: 1e-6 }
  const laplaces = [1n, 100n, 1_000_000n].map((sensitivity) => ({
    label: `discrete Laplace, sensitivity ${sensitivity.toLocaleString('en-US')}`,
    noise: laplaceScaleFor({ ...costs, sensitivity }),
    sample: (noise, random) => discreteLaplace({ scale: noise.scale, random }),
  }))
  const gaussians = [1n, 1_000_000n].map((sensitivity) => ({
    label: `discrete Gaussian, sensitivity ${sensitivity.toLocaleString('en-US')}`,
    noise: gaussianSigmaFor({ ...costs, sensitivity }),
    sample: (noise, random) => discreteGaussian({ sigmaSquared: noise.sigmaSquared, random }),
  }))
  const samplers = [...laplaces, ...gaussians]
  let sink = 0
  const work = {}
  for (const [index, { noise, sample }] of samplers.entries()) {
    work[`direct${index}`] = () => {
      for (let draw = 0; draw < count; draw++) sink += Number(sample(noise, platformRandom))
    }
    work[`pool${index}`] = () => {
      const pool = predrawn(platformRandom)
      pool.reserve(noise, count)
      for (let draw = 0; draw < count; draw++) sink += Number(pool.draw(noise))
    }
  }
  work.textbook = () => {
    for (let draw = 0; draw < count; draw++) sink += textbookLaplace(2)
  }
  const block = new Uint8Array(65_536)
  work.random = () => {
    for (let round = 0; round < 64; round++) globalThis.crypto.getRandomValues(block)
  }
  const took = await compare(work)
  if (Number.isNaN(sink)) throw new Error('a sampler gave no number')
  const randomBytesPerSecond = (64 * block.length) / took.random

  const rows = samplers.map(({ label, noise, sample }, index) => {
    const random = counting()
    for (let draw = 0; draw < count; draw++) sample(noise, random)
    const bytes = random.bytes / count
    const best = Math.min(took[`direct${index}`], took[`pool${index}`])
    return [
      label,
      figure(count / took[`direct${index}`]),
      figure(count / took[`pool${index}`]),
      figure(bytes),
      figure(random.calls / count),
      ratio(best, (count * bytes) / randomBytesPerSecond),
    ]
  })
  printTable(print, {
    title: `Samples of noise for epsilon 0.5 (Gaussian: delta 1e-6), ${count.toLocaleString('en-US')} a turn`,
    columns: [
      '',
      'samples/s',
      'predrawn/s',
      'random bytes each',
      'port calls each',
      'best time / its random bytes',
    ],
    rows: [
      ...rows,
      [
        'textbook Laplace in doubles: UNSAFE, a yardstick',
        figure(count / took.textbook),
        null,
        null,
        null,
        null,
      ],
    ],
    notes: [
      `crypto.getRandomValues in blocks of 64 KiB: ${figure(randomBytesPerSecond / 2 ** 20)} MiB/s, the limit that the last column divides by.`,
      'samples/s call the platform’s generator for every few bytes; predrawn/s draw it in blocks.',
    ],
  })
}
