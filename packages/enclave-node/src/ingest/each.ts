/**
 * Does something with each item, one after the other; what fails with one of them does not keep it from the others.
 * @returns the sum of what was done
 * @throws the first error, after all were tried
 */
export async function sumOfEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<number>,
): Promise<number> {
  let done = 0
  let failed: { readonly error: unknown } | undefined
  for (const item of items) {
    try {
      done += await work(item)
    } catch (error) {
      failed ??= { error }
    }
  }
  if (failed !== undefined) throw failed.error
  return done
}
