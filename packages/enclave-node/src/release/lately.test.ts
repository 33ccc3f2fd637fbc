import { expect, it } from 'vitest'
import { lately } from './lately.js'

it('computes once what is asked for again, and forgets what was asked for longest ago', async () => {
  const computed: string[] = []
  const remember = lately<string>(2)
  const ask = (name: string) =>
    remember(name, async () => {
      computed.push(name)
      return `${name}!`
    })
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) expect(await ask(name)).toBe(`${name}!`)
  expect(computed).toEqual(['a', 'b', 'c', 'b'])
})

it('remembers nothing of what failed', async () => {
  const remember = lately<number>(2)
  await expect(remember('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await remember('a', async () => 7)).toBe(7)
})

it('remembers nothing that its name does not stand for', async () => {
  const remember = lately<number>(2)
  expect(
    await remember(
      'a',
      async () => 7,
      async () => false,
    ),
  ).toBe(7)
  expect(await remember('a', async () => 8)).toBe(8)
  expect(
    await remember(
      'a',
      async () => 9,
      async () => false,
    ),
  ).toBe(8)
})
