import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { errorFields, nodeLogger } from './logger.js'
import { startLoop } from './loop.js'

const log = nodeLogger({ level: 'silent', simulated: true })
const turns = (count: number) => new Promise((done) => setTimeout(done, count))

it('a busy loop goes on at once, an idle one waits and can be woken, a stopped one is still', async () => {
  let rounds = 0
  const loop = startLoop({ name: 'test', pollMs: 60_000, log, round: async () => ++rounds < 3 })
  await expect.poll(() => rounds).toBe(3)
  loop.wake()
  await expect.poll(() => rounds).toBe(4)
  await loop.stop()
  loop.wake()
  await turns(20)
  expect(rounds).toBe(4)
})

it('a failing round is tried again later and its error is told until it passes', async () => {
  let fails = true
  const loop = startLoop({
    name: 'test',
    pollMs: 5,
    log,
    round: async () => {
      if (fails) throw new NodeError('CHAIN_CALL_FAILED', 'test', 'away')
      return false
    },
  })
  await expect.poll(() => loop.lastError()).toMatchObject({ code: 'CHAIN_CALL_FAILED' })
  fails = false
  await expect.poll(() => loop.lastError(), { timeout: 10_000 }).toBeUndefined()
  await loop.stop()
})

it('a wake during a round is not lost', async () => {
  let rounds = 0
  let goOn: () => void = () => undefined
  const loop = startLoop({
    name: 'test',
    pollMs: 60_000,
    log,
    round: async () => {
      rounds += 1
      await new Promise<void>((done) => {
        goOn = done
      })
      return false
    },
  })
  await turns(5)
  loop.wake()
  goOn()
  await turns(20)
  expect(rounds).toBe(2)
  // The same after the loop has waited once.
  goOn()
  await turns(5)
  loop.wake()
  await turns(5)
  expect(rounds).toBe(3)
  loop.wake()
  goOn()
  await turns(20)
  expect(rounds).toBe(4)
  const stopped = loop.stop()
  goOn()
  await stopped
})

it('a log tells the code and place of an error and never its stack, cause or foreign message', () => {
  const lines: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const logger = pino({ serializers: { err: errorFields } }, sink)
  logger.error({ err: new Error('wage 9.50 of worker 3', { cause: new Error('inner') }) }, 'failed')
  logger.error({ err: new NodeError('STATE_LOCKED', 'data directory', 'taken') }, 'failed')
  expect(lines[0]).not.toMatch(/9\.50|inner|at .*\(/)
  expect(lines[1]).toContain('STATE_LOCKED')
})
