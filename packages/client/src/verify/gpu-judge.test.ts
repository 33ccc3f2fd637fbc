import { AttestError, nodeReportData } from '@sealpool/attest'
import {
  appraiseNodeGpus,
  gpuLimits,
  gpuNonce,
  type PlatformPolicy,
} from '@sealpool/attest/platform-evidence'
import { createGpuSimulator } from '@sealpool/attest/simulator'
import { describe, expect, test } from 'vitest'
import { at, deployment, node, nonce, policy, pool, repeatable, trust } from '../testing/simulated-pool.js'
import type { GpuJudge, JudgedGpus, ShownGpus } from './gpu-judge.js'
import { verifyPool } from './verified-pool.js'

const rules: PlatformPolicy = {
  format: 'sealpool/platform-policy',
  version: 1,
  dstack: { hardware: trust, apps: [] },
  nvidiaToken: {},
  gpu: {},
}
const service = createGpuSimulator({ random: repeatable('service') })
const ask = (gpus?: GpuJudge, evidence = node.evidence()) =>
  verifyPool({
    policy,
    pool,
    chainId: deployment.chainId,
    nodeRegistry: deployment.nodeRegistry,
    served: node.answer(),
    evidence,
    nonce,
    chain: node.facts(),
    gpus,
    at,
  })
const saying =
  (answer: JudgedGpus['answer']): GpuJudge =>
  () => ({
    answer,
    reasons: answer === 'allowed' ? [] : ['Because.'],
    limits: gpuLimits,
  })
const checkOf = (...asked: Parameters<typeof ask>) => ask(...asked).checks.find(({ id }) => id === 'gpus')

describe('GPUs in the checklist', () => {
  test('are no line of it where nobody asks for them, whatever is shown', () => {
    const shown = { ...node.evidence(), gpu: { eventLog: '[]', token: '[]' } }
    expect([checkOf(), checkOf(undefined, shown)]).toEqual([undefined, undefined])
    expect(ask(undefined, shown).ok).toBe(true)
  })

  test('are shown with what such evidence does not prove', () => {
    expect(ask(saying('allowed')).ok).toBe(true)
    expect(checkOf(saying('allowed'))).toMatchObject({
      result: 'pass',
      detail: ['allowed:', ...gpuLimits].join(' '),
    })
  })

  test.each(['false', 'not-proved', 'not-allowed'] as const)('are a no when they are %s', (answer) => {
    const readiness = ask(saying(answer))
    expect([readiness.ok, readiness.pool]).toEqual([false, undefined])
    expect(readiness.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)).toEqual(['gpus'])
    expect(checkOf(saying(answer))?.detail).toBe([`${answer}: Because.`, ...gpuLimits].join(' '))
    const hardware = readiness.summary.find(({ id }) => id === 'hardware')
    expect([hardware?.result, hardware?.checks.includes('gpus')]).toEqual(['fail', true])
  })

  test('are judged by what the node showed beside its own quote, at the moment of the question', () => {
    const seen: ShownGpus[] = []
    const judge: GpuJudge = (shown) => {
      seen.push(shown)
      return appraiseNodeGpus({ ...shown, policy: rules, keys: service.serviceKeys })
    }
    expect(checkOf(judge)).toMatchObject({
      result: 'fail',
      detail: expect.stringMatching(/shows no evidence of GPUs/),
    })
    const token = service.token({ nonce: gpuNonce(nodeReportData(node.keySet, nonce)), devices: 1, at })
    const gpu = { eventLog: '[]', token: JSON.stringify(token) }
    const check = checkOf(judge, { ...node.evidence(), gpu })
    expect(check).toMatchObject({ result: 'fail', detail: expect.stringMatching(/^false: .*RTMR/) })
    expect(seen.map(({ shown, at: moment }) => [shown, moment])).toEqual([
      [null, at],
      [gpu, at],
    ])
    expect(seen[1]?.hardware.claims).toMatchObject({ tee: 'tdx' })
  })

  test('that cannot be read are the node’s mistake', () => {
    const gpu = { eventLog: '[', token: '[' }
    const judge: GpuJudge = (shown) =>
      appraiseNodeGpus({ ...shown, policy: rules, keys: service.serviceKeys })
    expect(() => ask(judge, { ...node.evidence(), gpu })).toThrow(AttestError)
  })
})
