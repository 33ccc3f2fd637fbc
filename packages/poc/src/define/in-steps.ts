/**
 * A number as an item for comparison, in steps of an absolute width. Without it the host compares numbers by two significant digits,
 * which suits counts and amounts that a copier nudges, and makes one of all times of a year and all places of a town.
 *
 * @param value a time, a position, an amount; in the step's unit
 * @param step width of a step, above 0: what differs by less is mostly the same. 1 for whole numbers that are compared exactly
 * @returns a text that the host compares as it stands, for a cell of `items`
 * @throws TypeError for a step that is not above 0
 * @example
 * ```ts
 * import { inSteps } from '@sealpool/poc/define'
 * console.log(inSteps(119, 60), inSteps(52.5163, 0.001)) // 2 steps of 60 52516 steps of 0.001
 * ```
 */
export function inSteps(value: number, step: number): string {
  if (!(step > 0 && step < Infinity)) throw new TypeError('inSteps: a step is above 0')
  const count = Math.round(value / step)
  // The host drops signs of punctuation, a minus too.
  return `${count < 0 ? 'minus ' : ''}${Math.abs(count)} steps of ${step}`
}
