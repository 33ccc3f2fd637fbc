import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { nodeLogger } from './logger.js'
import { openTrace } from './open-trace.js'

const chain = { chainId: 31_337, registry: `0x${'Ab'.repeat(20)}` } as const
const log = nodeLogger({ level: 'silent', simulated: true })

it('has no tracer where the settings name no collector', async () => {
  const trace = openTrace({ trace: null }, chain, log)
  expect(trace.tracer).toBeUndefined()
  await trace.stop()
})

it('brings what was noted to the collector', async () => {
  const bodies: string[] = []
  const collector = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`)
      response.end('{}')
      collector.emit('asked')
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/v1/traces`
  // The grid of a test: settings allow none that is finer than 10 s.
  const trace = openTrace({ trace: { url, gridSeconds: 1 } }, chain, log)
  const asked = once(collector, 'asked')
  await trace.tracer?.step('job.run', { job: '7' }, async () => undefined)
  await asked
  await trace.stop()
  expect(bodies).toHaveLength(1)
  expect(bodies[0]).toMatch(/^POST \/v1\/traces application\/json \{"resourceSpans".*"job\.run"/)
  collector.close()
})
