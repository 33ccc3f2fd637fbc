import { memoryBlobStore } from '@sealpool/client'
import { type ProgramPlan, parseJobManifest } from '@sealpool/compute'
import { platformRandom } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { planJob } from '../job/plan-job.js'
import { programManifest, programPool, someCode } from '../testing/program-fixture.js'
import { openPrograms } from './programs.js'
import { requireProgram, slotMs, tellingMs } from './require-program.js'

const blobStore = memoryBlobStore()
await blobStore.put(someCode)
const programs = openPrograms({
  settings: { runtimes: ['quickjs'], children: 1 },
  isolation: 'best',
  blobStore,
  open: async () => {
    throw new Error('nothing is started before the charge')
  },
  clock: () => 0,
  random: platformRandom,
  wait: async () => undefined,
})
const chain = { head: async () => ({ number: 1n, hash: '0x' as const, timestamp: 1_000 }) }
const planned = await planJob(parseJobManifest(programManifest()), [programPool])
const { program: plan } = planned
if (plan === undefined) throw new Error('it is a program')

it('asks nothing of jobs that are no programs, and lets a good one through without starting anything', async () => {
  await requireProgram({ chain }, undefined)
  await requireProgram({ chain, programs }, plan, async () => 1_009)
})

it.each<[string, Partial<ProgramPlan>]>([
  ['PROGRAM_LIMITS', { program: { ...plan.program, limits: { memoryBytes: 1, timeMs: 100 } } }],
  ['PROGRAM_LIMITS', { program: { ...plan.program, limits: { memoryBytes: 16_777_216, timeMs: 600_001 } } }],
  ['PROGRAM_MISSING', { program: { ...plan.program, code: `sha256:${'0'.repeat(64)}` } }],
  ['PROGRAMS_NOT_SERVED', { program: { ...plan.program, runtime: 'pyodide' } }],
  ['PROGRAM_PAST_DEADLINE', { durationMs: 5_000 }],
])('refuses with %s, uncharged', async (code, change) => {
  await expect(
    requireProgram({ chain, programs }, { ...plan, ...change }, async () => 1_009),
  ).rejects.toMatchObject({ name: 'JobRefusal', code, charged: false })
})

it('gives each run the time to be ended, beside all that the runs may take', () => {
  expect(slotMs(plan)).toBe(2_000)
  expect(tellingMs(plan)).toBe(8_000)
  expect(tellingMs({ ...plan, split: { kind: 'blocks', blocks: 10, least: 1 } })).toBe(14_000)
  expect(tellingMs({ ...plan, program: { ...plan.program, runtime: 'pyodide' } })).toBe(24_000)
})
