import { register } from 'tsx/esm/api'

register()
const { catalogueIndex } = await import('../../packages/enclave-node/src/catalogue/catalogue-index.ts')
const { signedEntryFixture } = await import('../../packages/enclave-node/src/testing/catalogue-fixture.ts')

/** Words as frequent as words are: the first in one entry of two, the last in few. */
const words = Array.from({ length: 2_000 }, (_, index) => `w${index.toString(36)}`)

/** Numbers that are the same in every run. */
function numbers(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * A catalogue, and searches in it one after the other.
 *
 * @param count entries: 40 words and 20 columns each
 * @param searches of one to three words, a third of them beginnings
 * @param likenesses looked for: what is most like one of the entries
 * @returns seconds to fill it, processor milliseconds of each search and likeness (others' work on the machine is not in them), how many of either found something, megabytes that it takes
 */
export function manyEntries(count, searches, likenesses) {
  const random = numbers(7)
  const word = () => words[Math.floor(words.length * random() ** 3)]
  const text = (length) => Array.from({ length }, word).join(' ')
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const index = catalogueIndex(count)
  const began = performance.now()
  for (let number = 1; number <= count; number++) {
    const columns = Array.from({ length: 20 }, () => ({
      name: word(),
      type: 'integer',
      unit: null,
      description: text(1),
    }))
    index.put(
      signedEntryFixture(number, {
        name: text(2),
        description: text(36),
        tables: [{ name: word(), description: text(2), columns }],
        expiresAt: 10,
      }),
    )
  }
  const filled = (performance.now() - began) / 1000
  globalThis.gc?.()
  const megabytes = (process.memoryUsage().heapUsed - before) / 1e6
  const times = []
  let found = 0
  const timed = (ask) => {
    const start = process.cpuUsage()
    const answer = ask()
    const { user, system } = process.cpuUsage(start)
    return { answer, time: (user + system) / 1000 }
  }
  for (let turn = 0; turn < searches; turn++) {
    const asked = text(1 + (turn % 3))
    const begins = turn % 3 === 0 ? asked.slice(0, 2) : asked
    const { answer, time } = timed(() => index.search({ text: begins, limit: 50, now: 0 }))
    times.push(time)
    if (answer.total > 0) found += 1
  }
  const alike = { times: [], found: 0 }
  for (let turn = 0; turn < likenesses; turn++) {
    const { pool } = signedEntryFixture(1 + Math.floor(random() * count)).entry
    const { answer, time } = timed(() => index.similar(pool, { limit: 20, now: 0 }))
    alike.times.push(time)
    if (answer.length === 20) alike.found += 1
  }
  return { filled, megabytes, times, found, alike }
}
