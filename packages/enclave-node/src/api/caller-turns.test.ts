import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { callerTurns } from './caller-turns.js'

/** Work that ends when it is told to, and what was begun so far. */
function stage(limits: Partial<Parameters<typeof callerTurns>[0]> = {}) {
  const turn = callerTurns({ atOnce: 2, waiting: 3, waitingOfAll: 4, ...limits }, async () => undefined)
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  return {
    begun,
    ask: (caller: string, name: string, signal?: AbortSignal) =>
      turn(
        caller,
        () => {
          begun.push(name)
          return new Promise<string>((resolve, reject) =>
            ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error))),
          )
        },
        signal,
      ),
    async end(name: string, error?: Error) {
      ends.get(name)?.(error)
      await setImmediate()
    },
  }
}

it('does so much at a time, and gives each what it asked for', async () => {
  const { ask, begun, end } = stage()
  const answers = ['1', '2', '3'].map((name) => ask('ann', name))
  await setImmediate()
  expect(begun).toEqual(['1', '2'])
  await end('2')
  expect(begun).toEqual(['1', '2', '3'])
  await end('1')
  await end('3')
  expect(await Promise.all(answers)).toEqual(['1', '2', '3'])
})

it('goes on after work that fails, and tells whoever asked', async () => {
  const { ask, begun, end } = stage({ atOnce: 1 })
  const failing = ask('ann', '1')
  void ask('ann', '2')
  await setImmediate()
  const told = expect(failing).rejects.toThrow('no plan')
  await end('1', new Error('no plan'))
  await told
  expect(begun).toEqual(['1', '2'])
})

it('lets callers take turns, however much one of them asks for', async () => {
  const { ask, begun, end } = stage({ atOnce: 1 })
  for (const name of ['a1', 'a2', 'a3', 'a4']) void ask('ann', name)
  void ask('bob', 'b1')
  await setImmediate()
  for (const name of ['a1', 'a2', 'b1', 'a3', 'a4']) await end(name)
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4'])
})

it('turns away what would wait too long, and nobody for ever', async () => {
  const { ask, begun, end } = stage({ atOnce: 1 })
  for (const name of ['a1', 'a2', 'a3', 'a4']) void ask('ann', name)
  expect(await ask('ann', 'a5')).toBeUndefined()
  await setImmediate()
  for (const name of ['a1', 'a2', 'a3', 'a4']) await end(name)
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4'])
  void ask('ann', 'a6')
  await setImmediate()
  expect(begun.at(-1)).toBe('a6')
})

it('has whoever waits for most make room when no more can wait, so that few callers shut nobody out', async () => {
  const { ask, begun, end } = stage({ atOnce: 1 })
  const [, , a3, a4] = ['a1', 'a2', 'a3', 'a4'].map((name) => ask('ann', name))
  const others = ['bob', 'eve', 'dan'].map((caller) => ask(caller, caller))
  expect(await Promise.all([a3, a4])).toEqual([undefined, undefined])
  // Each has one waiting now: who came first stays.
  expect(await ask('fay', 'fay')).toBeUndefined()
  await setImmediate()
  for (const name of ['a1', 'a2', 'bob', 'eve', 'dan']) await end(name)
  expect(begun).toEqual(['a1', 'a2', 'bob', 'eve', 'dan'])
  expect(await Promise.all(others)).toEqual(['bob', 'eve', 'dan'])
  void ask('fay', 'again')
  await setImmediate()
  expect(begun.at(-1)).toBe('again')
})

it('lets others have the event loop before each piece of work', async () => {
  const order: string[] = []
  const turn = callerTurns({ atOnce: 1, waiting: 9, waitingOfAll: 9 }, () => setImmediate())
  const others = setImmediate().then(() => order.push('other'))
  await turn('ann', async () => order.push('first'))
  await others
  expect(order).toEqual(['other', 'first'])
})

it('begins nothing that is not wanted any more, and lets others wait in its place', async () => {
  const { ask, begun, end } = stage({ atOnce: 1, waiting: 2, waitingOfAll: 2 })
  const gone = new AbortController()
  expect(await ask('ann', 'a0', AbortSignal.abort())).toBeUndefined()
  void ask('ann', 'a1', gone.signal)
  const waits = ask('ann', 'a2', gone.signal)
  void ask('ann', 'a3')
  expect(await ask('ann', 'a4')).toBeUndefined()
  await setImmediate()
  gone.abort()
  expect(await waits).toBeUndefined()
  const last = ask('ann', 'a5')
  // What was begun has its turn until it ends.
  await setImmediate()
  expect(begun).toEqual(['a1'])
  await end('a1')
  await end('a3')
  await end('a5')
  expect(begun).toEqual(['a1', 'a3', 'a5'])
  expect(await last).toBe('a5')
})

it('gives the turn on at once of what was not wanted any more when it came', async () => {
  const gone = new AbortController()
  const turn = callerTurns({ atOnce: 1, waiting: 9, waitingOfAll: 9 }, async () => gone.abort())
  const never = () => Promise.reject(new Error('it was begun'))
  expect(await turn('ann', never, gone.signal)).toBeUndefined()
  expect(await turn('ann', async () => 'next')).toBe('next')
})
