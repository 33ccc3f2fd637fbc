import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { nodeLogger } from './logger.js'

const canary = 'CANARY-1f3a'
function logged(work: (log: ReturnType<typeof nodeLogger>) => void): readonly Record<string, unknown>[] {
  const lines: string[] = []
  work(nodeLogger({ level: 'debug', simulated: true, write: (line) => lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('a log line', () => {
  it.each([
    'privateKey',
    'secret',
    'transactionKey',
    'databaseUrl',
    'plaintext',
    'token',
    'signature',
    'authorization',
    'cookie',
    'body',
  ])('does not show what is called %s, at its top or below', (name) => {
    const [one] = logged((log) =>
      log.info({ [name]: canary, a: { [name]: canary, b: { [name]: canary } } }, 'x'),
    )
    expect(JSON.stringify(one)).not.toContain(canary)
    expect(one).toMatchObject({ [name]: '[redacted]', simulated: true, node: 'sealpool' })
  })

  it('shows of an error what our own errors promise to be harmless, and of others the code', () => {
    const own = new NodeError('CHAIN_STALE', 'chain', 'the head stands still', { cause: new Error(canary) })
    const other = Object.assign(new Error(canary), { code: 'ECONNRESET', cause: canary })
    const [first, second, third] = logged((log) => {
      log.error({ err: own }, 'x')
      log.error({ err: other }, 'x')
      log.error({ err: canary }, 'x')
    })
    expect(first).toMatchObject({ err: { code: 'CHAIN_STALE', message: own.message } })
    expect(second).toMatchObject({ err: { type: 'Error', code: 'ECONNRESET' } })
    for (const one of [first, second, third]) expect(JSON.stringify(one)).not.toContain(canary)
  })
})
