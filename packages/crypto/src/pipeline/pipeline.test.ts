import { expect, test } from 'vitest'
import { chunksAtOnce, createPipeline, inOrder } from './pipeline.js'

/** Work whose end the test decides. */
function gate<T>() {
  let open: (value: T) => void = () => undefined
  let refuse: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    refuse = reject
  })
  return { promise, open, refuse }
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

test('delivers in order, each as soon as it and all before it are done', async () => {
  const delivered: number[] = []
  const pipeline = createPipeline<number>({ limit: 3, deliver: (value) => delivered.push(value) })
  const gates = [gate<number>(), gate<number>()]
  const pushed = gates.map(({ promise }) => pipeline.push(() => promise))
  await Promise.all(pushed)
  gates[1]?.open(2)
  await settle()
  expect(delivered).toEqual([])
  gates[0]?.open(1)
  await settle()
  expect(delivered).toEqual([1, 2])
  await pipeline.drain()
})

test('lets no more pieces of work begin than its limit', async () => {
  let running = 0
  let most = 0
  const pipeline = createPipeline<void>({ limit: 4, deliver: () => undefined })
  for (let index = 0; index < 40; index++) {
    await pipeline.push(async () => {
      running += 1
      most = Math.max(most, running)
      await settle()
      running -= 1
    })
  }
  await pipeline.drain()
  expect(most).toBe(4)
})

test('delivers nothing after a failure, tells of it at once, and fails all that follows', async () => {
  const delivered: number[] = []
  const failures: unknown[] = []
  const pipeline = createPipeline<number>({
    limit: 3,
    deliver: (value) => delivered.push(value),
    fail: (error) => failures.push(error),
  })
  const broken = gate<number>()
  await pipeline.push(async () => 1)
  await pipeline.push(() => broken.promise)
  const third = pipeline.push(async () => 3)
  broken.refuse(new Error('broken'))
  await third.catch(() => undefined)
  await settle()
  expect(failures).toEqual([new Error('broken')])
  await expect(pipeline.drain()).rejects.toThrow('broken')
  expect(delivered).toEqual([1])
})

test('inOrder delivers in order whatever ends first, and keeps to its limit', async () => {
  const delivered: number[] = []
  let running = 0
  let most = 0
  await inOrder({
    count: 50,
    limit: 7,
    async start(index) {
      running += 1
      most = Math.max(most, running)
      for (let turn = 0; turn <= (index * 5) % 4; turn++) await settle()
      running -= 1
      return index
    },
    deliver: (result) => delivered.push(result),
  })
  expect(delivered).toEqual([...Array(50).keys()])
  expect(most).toBe(7)
})

test('inOrder delivers nothing at or after the first failure, and begins nothing new', async () => {
  const delivered: number[] = []
  const begun: number[] = []
  const work = inOrder({
    count: 50,
    limit: 4,
    async start(index) {
      begun.push(index)
      if (index === 3 || index === 5) throw new Error(`broken ${index}`)
      return index
    },
    deliver: (result) => delivered.push(result),
  })
  await expect(work).rejects.toThrow('broken 3')
  expect(delivered).toEqual([0, 1, 2])
  expect(Math.max(...begun)).toBeLessThan(8)
})

test.each([
  [64, 64],
  [65_536, 16],
  [1_048_576, 2],
  [4_194_304, 2],
])('chunks of %i bytes are worked on %i at once', (chunkSize, expected) => {
  expect(chunksAtOnce(chunkSize)).toBe(expected)
})
