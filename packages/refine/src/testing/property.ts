import fc from 'fast-check'
import { test } from 'vitest'

/**
 * A property as a test of its own.
 *
 * @param name - what holds
 * @param arbitraries - generators of the arguments
 * @param holds - asserts on one set of arguments
 */
export function property<Arguments extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [Index in keyof Arguments]: fc.Arbitrary<Arguments[Index]> },
  holds: (...args: Arguments) => void | Promise<void>,
): void {
  test(name, () =>
    fc.assert(
      fc.asyncProperty(...arbitraries, async (...args) => {
        await holds(...args)
      }),
    ),
  )
}
