import { expect, it } from 'vitest'
import { jobWorkers } from './job-workers.js'

/** Jobs that end when they are told to, and what was begun so far. */
function stage(atOnce: number) {
  const begun: string[] = []
  const ends = new Map<string, (moved: boolean) => void>()
  let freed = 0
  const workers = jobWorkers({
    atOnce,
    work: (id) => {
      begun.push(id)
      return new Promise((resolve) => ends.set(id, resolve))
    },
    freed: () => {
      freed += 1
    },
  })
  const end = async (id: string, moved = true) => {
    ends.get(id)?.(moved)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { workers, begun, end, freed: () => freed }
}

it('begins so many jobs and no more, in their order', () => {
  const { workers, begun } = stage(2)
  workers.begin(['1', '2', '3'])
  expect(begun).toEqual(['1', '2'])
})

it('goes on beside a job that takes long, and begins none twice', async () => {
  const { workers, begun, end, freed } = stage(2)
  const due = ['1', '2', '3', '4']
  workers.begin(due)
  await end('2')
  expect(freed()).toBe(1)
  workers.begin(['1', '3', '4'])
  await end('3')
  workers.begin(['1', '4'])
  expect(begun).toEqual(['1', '2', '3', '4'])
})

it('takes a job that moved up again at once', async () => {
  const { workers, begun, end } = stage(1)
  workers.begin(['1'])
  await end('1')
  workers.begin(['1'])
  expect(begun).toEqual(['1', '1'])
})

it('lets a job that does not move wait for all others, and for the next look', async () => {
  const { workers, begun, end } = stage(1)
  workers.begin(['1', '2'])
  await end('1', false)
  workers.begin(['1', '2'])
  await end('2', false)
  expect(begun).toEqual(['1', '2'])
  workers.begin(['1', '2'])
  expect(begun).toEqual(['1', '2'])
  workers.begin(['1', '2'])
  expect(begun).toEqual(['1', '2', '1'])
})

it('has ended when all that was begun has', async () => {
  const { workers, end } = stage(2)
  workers.begin(['1', '2'])
  let ended = false
  const waiting = workers.ended().then(() => {
    ended = true
  })
  await end('1')
  expect(ended).toBe(false)
  await end('2')
  await waiting
})

it('gives places to work for other nodes, within the same number', async () => {
  const { workers, begun, end, freed } = stage(2)
  workers.begin(['1'])
  const give = workers.place()
  expect(give).toBeDefined()
  expect(workers.place()).toBeUndefined()
  workers.begin(['1', '2'])
  expect([begun, workers.count()]).toEqual([['1'], 2])
  give?.()
  give?.()
  expect([freed(), workers.count()]).toEqual([1, 1])
  workers.begin(['1', '2'])
  expect(begun).toEqual(['1', '2'])
  expect(workers.place()).toBeUndefined()
  await end('1')
  expect(workers.place()).toBeDefined()
})

it('begins no more new jobs than it may, and lets them hold up none that was begun', async () => {
  const { workers, begun, end } = stage(3)
  const limit = { begun: new Set(['3', '4']), more: 1 }
  workers.begin(['1', '2', '3', '4'], limit)
  expect(begun).toEqual(['1', '3', '4'])
  expect([...workers.ids()]).toEqual(['1', '3', '4'])
  await end('3', false)
  await end('4', false)
  const full = { begun: new Set(['1', '3', '4']), more: 0 }
  // All that may be worked on were tried: they come again with the next look, though another one was not tried yet.
  workers.begin(['1', '2', '3', '4'], full)
  workers.begin(['1', '2', '3', '4'], full)
  expect(begun).toEqual(['1', '3', '4', '3', '4'])
})
