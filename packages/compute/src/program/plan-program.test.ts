import { canonicalize, digestOf } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planComputation, planJson } from '../computation/plan.js'
import { runComputation } from '../computation/run.js'
import { ComputeError } from '../errors.js'
import { parseJobManifest } from '../job/manifest.js'
import { deterministicRandom } from '../testing/deterministic-random.js'
import {
  bytesOfProgram,
  programManifestJson,
  programParameters,
  programPlan,
  programPolicyJson,
} from '../testing/program-job.js'
import { changed } from '../testing/wage-job.js'
import { parseProgram } from './parameters.js'
import { programDigest } from './program-digest.js'

const own = { runtime: 'quickjs', entry: 'main', code: bytesOfProgram } as const
const place = 'compute.parameters'

describe('plan of a program', () => {
  const plan = programPlan()

  test('names program, columns, runs, outputs and how long it lasts', () => {
    expect(plan).toMatchObject({
      computation: 'program',
      code: programDigest(own),
      charge: { [`0x${'11'.repeat(20)}`]: { epsilon: 2, delta: 2.5e-7 } },
      minimumContributors: 10,
      program: { ...own, argument: { quantile: 0.5 }, limits: programParameters.limits },
      tables: programParameters.tables,
      split: { kind: 'blocks', blocks: 40, least: 1 },
      outputs: programParameters.outputs,
      significantDigits: null,
      durationMs: 40_000,
    })
    expect(plan.columns.map(({ key, type }) => [key, type])).toEqual([
      ['pay.workers.wage', 'decimal'],
      ['pay.workers.union_member', 'boolean'],
      ['pay.visits.length', 'integer'],
      ['pay.visits.day', 'date'],
    ])
  })

  test('is canonical JSON and the same for the same job', () => {
    expect(canonicalize(planJson(programPlan()))).toBe(canonicalize(planJson(plan)))
    expect(JSON.parse(canonicalize(planJson(plan)))).toEqual(plan)
  })

  test('pays for the noise that it names, with delta and without', () => {
    const [charge] = Object.values(plan.charge)
    const { sensitivity, noise, steps, answerSteps, kind } = plan.mechanism
    expect(kind).toBe('gaussian')
    expect(BigInt(sensitivity)).toBe(8n * BigInt(steps) ** 2n)
    expect(answerSteps / steps).toBeCloseTo(Math.sqrt(6), 6)
    const rho = (Number(sensitivity) * Number(noise.denominator)) / (2 * Number(noise.numerator))
    expect(charge?.zcdp?.rho).toBeGreaterThanOrEqual(rho)
    // Gaussian noise calibrated analytically to (2, 2.5e-7) has sigma / sensitivity 2.364, as that of the regression.
    expect(rho).toBeCloseTo(1 / (2 * 2.364 ** 2), 4)
    const pure = programPlan({ manifest: { 'privacy.delta': 0 } })
    expect(pure.mechanism).toMatchObject({ kind: 'laplace', answerSteps: 2 * steps })
    expect(BigInt(pure.mechanism.sensitivity)).toBe(4n * BigInt(steps))
    expect(Number(pure.mechanism.noise.numerator) / Number(pure.mechanism.noise.denominator)).toBe(2 * steps)
    expect(Object.values(pure.charge)).toEqual([{ epsilon: 2, delta: 0 }])
  })

  test('asks so many contributors of a block that half of the blocks hold the minimum', () => {
    const least = (minimumContributors: number) =>
      programPlan({ policy: { 'privacy.minimumContributors': minimumContributors } }).split
    expect(least(20)).toMatchObject({ least: 1 })
    expect(least(21)).toMatchObject({ least: 2 })
    expect(least(1000)).toMatchObject({ least: 50 })
  })

  test('runs any program where the policy leaves it to votes', () => {
    const policy = { 'code.programs': 'voted' }
    const other = { [`${place}.entry`]: 'other' }
    expect(programPlan({ policy, manifest: other }).code).toBe(programDigest({ ...own, entry: 'other' }))
  })

  test('takes the policy over digits of released numbers', () => {
    expect(programPlan({ policy: { output: { significantDigits: 3 } } }).significantDigits).toBe(3)
  })

  test('is not run as a built-in computation', () => {
    expect(() => runComputation({ plan, rows: [], random: deterministicRandom(1) })).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', place: 'plan.computation' }),
    )
  })
})

test('a program’s digest binds runtime, entry and bytes', () => {
  expect(programDigest(own)).toBe(digestOf({ format: 'sealpool/program', version: 1, ...own }))
  const other = `sha256:${'00'.repeat(32)}` as const
  const digests = [
    own,
    { ...own, runtime: 'webassembly' as const },
    { ...own, entry: 'Main' },
    { ...own, code: other },
  ]
  expect(new Set(digests.map(programDigest)).size).toBe(4)
})

describe('refused by a policy', () => {
  const regression = ['linear-regression']
  const handOff = { measurements: [`0x${'aa'.repeat(32)}`], expiresAt: 1, fallback: 'none' }
  const second = { address: `0x${'22'.repeat(20)}`, name: 'people' }
  test.each<[string, Parameters<typeof programPlan>[0], string, string]>([
    [
      'a pool that runs no programs',
      { policy: { 'code.computations': regression, 'code.programs': undefined } },
      'NOT_ALLOWED',
      'compute.computation',
    ],
    [
      'a pool that says of no program that it runs',
      { policy: { 'code.programs': undefined } },
      'NOT_ALLOWED',
      `${place}.code`,
    ],
    [
      'other bytes',
      { manifest: { [`${place}.code`]: `sha256:${'00'.repeat(32)}` } },
      'NOT_ALLOWED',
      `${place}.code`,
    ],
    [
      'another function of the same bytes',
      { manifest: { [`${place}.entry`]: 'rows' } },
      'NOT_ALLOWED',
      `${place}.code`,
    ],
    [
      'another engine for the same bytes',
      { manifest: { [`${place}.runtime`]: 'webassembly' } },
      'NOT_ALLOWED',
      `${place}.code`,
    ],
    ['a hand-off', { manifest: { handOff } }, 'NOT_ALLOWED', 'handOff'],
    [
      'several pools',
      { manifest: { pools: [...programManifestJson().pools, second] } },
      'NOT_ALLOWED',
      'pools',
    ],
    ['another purpose', { manifest: { purpose: 'marketing' } }, 'NOT_ALLOWED', 'purpose'],
    [
      'too much epsilon',
      { manifest: { 'privacy.epsilon': 2.1 } },
      'BUDGET_PER_JOB_EXCEEDED',
      'privacy.epsilon',
    ],
    ['too much delta', { manifest: { 'privacy.delta': 3e-7 } }, 'BUDGET_PER_JOB_EXCEEDED', 'privacy.delta'],
    [
      'an unknown table',
      { manifest: { [`${place}.tables.1.table`]: 'nothing' } },
      'PARAMETERS_INVALID',
      `${place}.tables[1].table`,
    ],
    [
      'an unknown column',
      { manifest: { [`${place}.tables.1.columns.0`]: 'nothing' } },
      'PARAMETERS_INVALID',
      `${place}.tables[1].columns[0]`,
    ],
    [
      'a column without use',
      { manifest: { [`${place}.tables.0.columns.1`]: 'secret' } },
      'NOT_ALLOWED',
      `${place}.tables[0].columns[1]`,
    ],
    [
      'more rows than the policy lets count',
      { manifest: { [`${place}.tables.1.rows`]: 6 } },
      'PARAMETERS_INVALID',
      `${place}.tables[1].rows`,
    ],
    [
      'a table of which only some rows count',
      { policy: { 'tables.1.rows': [{ column: 'length', min: 1 }] } },
      'NOT_ALLOWED',
      `${place}.tables[1].table`,
    ],
    [
      'more numbers than may leave',
      { policy: { output: { maximumRows: 1 } } },
      'NOT_ALLOWED',
      `${place}.outputs`,
    ],
    [
      'fewer contributors than the minimum',
      { manifest: { [`${place}.split`]: { kind: 'contributors', atMost: 9 } } },
      'PARAMETERS_INVALID',
      `${place}.split.atMost`,
    ],
    [
      'an epsilon without noise',
      { manifest: { 'privacy.epsilon': 1e-12, 'privacy.delta': 0 } },
      'PARAMETERS_INVALID',
      'privacy',
    ],
  ])('%s', (_, changes, code, where) => {
    expect(() => programPlan(changes)).toThrow(expect.objectContaining({ code, place: where }))
  })

  test('a pool whose policy was not given', () => {
    const manifest = parseJobManifest(programManifestJson())
    const policies = [parsePoolPolicy({ ...programPolicyJson(), name: 'other' })]
    expect(() => planComputation({ manifest, policies })).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', place: 'pools[0]' }),
    )
  })
})

describe('parameters', () => {
  const long = { text: 'x'.repeat(65_536) }
  test.each<[string, string, unknown, string?]>([
    ['another runtime', 'runtime', 'bash'],
    ['a list of runtimes', 'runtime', ['quickjs']],
    ['a digest in capitals', 'code', `sha256:${'AB'.repeat(32)}`],
    ['a short digest', 'code', 'sha256:ab'],
    ['bytes instead of a digest', 'code', 'globalThis'],
    ['an entry that is no name', 'entry', 'main()'],
    ['an entry that is no text', 'entry', 1],
    ['an entry in other letters', 'entry', 'máin'],
    ['an entry too long', 'entry', 'a'.repeat(64)],
    ['no tables', 'tables', []],
    ['tables by name', 'tables', { workers: [] }],
    [
      'too many tables',
      'tables',
      Array.from({ length: 17 }, (_, i) => ({ table: `t${i}`, columns: ['a'], rows: 1 })),
    ],
    ['a table without a name', 'tables.0.table', undefined],
    ['a table of SQL', 'tables.0.table', 'a"; DROP'],
    ['a table twice', 'tables.1.table', 'workers', 'tables[1].table'],
    ['no columns', 'tables.0.columns', []],
    ['a column of SQL', 'tables.0.columns.0', 'wage, secret', 'tables[0].columns[0]'],
    ['a column twice', 'tables.0.columns.1', 'wage', 'tables[0].columns[1]'],
    ['no rows', 'tables.0.rows', 0],
    ['half a row', 'tables.0.rows', 1.5],
    ['a condition', 'tables.0.where', 'wage > 1', 'tables[0]'],
    ['no argument', 'argument', undefined],
    ['an argument too long', 'argument', long, 'argument'],
    ['an argument that is no text of Unicode', 'argument', '\ud800', 'argument'],
    ['another split', 'split', { kind: 'all' }, 'split.kind'],
    ['a split into one block', 'split.blocks', 1],
    ['half a block', 'split.blocks', 2.5],
    ['a split in two ways', 'split.atMost', 10, 'split'],
    ['nobody', 'split', { kind: 'contributors', atMost: 0 }, 'split.atMost'],
    ['more contributors than can be', 'split', { kind: 'contributors', atMost: 100_001 }, 'split.atMost'],
    ['no outputs', 'outputs', []],
    [
      'too many outputs',
      'outputs',
      Array.from({ length: 65 }, (_, i) => ({ name: `o${i}`, min: 0, max: 1 })),
    ],
    ['an output without a name', 'outputs.0.name', ''],
    ['an output twice', 'outputs.1.name', 'wage', 'outputs[1].name'],
    ['an empty range', 'outputs.0.max', 0, 'outputs[0].max'],
    ['a range that cannot be halved', 'outputs.0', { name: 'o', min: 0, max: 5e-324 }, 'outputs[0].max'],
    ['a range without an end', 'outputs.0.max', Number.POSITIVE_INFINITY],
    ['a range of no number', 'outputs.0.min', Number.NaN],
    ['a range in text', 'outputs.0.min', '0'],
    ['a huge range', 'outputs.0.max', 1e16],
    ['an unknown field of an output', 'outputs.0.noise', 0, 'outputs[0]'],
    ['no limits', 'limits', undefined],
    ['too little memory', 'limits.memoryBytes', 1_048_575],
    ['too much memory', 'limits.memoryBytes', 1_073_741_825],
    ['no time', 'limits.timeMs', 0],
    ['ten minutes and more', 'limits.timeMs', 600_001],
    ['no steps where they are counted', 'limits.steps', undefined],
    ['zero steps', 'limits.steps', 0],
    ['steps past whole numbers', 'limits.steps', 2 ** 53],
    ['an unknown limit', 'limits.network', true, 'limits'],
    ['runs that take over an hour together', 'limits.timeMs', 90_001, 'limits.timeMs'],
    ['an unknown field', 'environment', {}, ''],
  ])('with %s are refused', (_, path, value, where = path.replaceAll(/\.(\d+)/g, '[$1]')) => {
    expect(() => parseProgram(changed(programParameters, path, value))).toThrow(
      expect.objectContaining({
        code: 'PARAMETERS_INVALID',
        place: where === '' ? place : `${place}.${where}`,
      }),
    )
  })

  test('take steps where they are counted, and nowhere else', () => {
    for (const runtime of ['pyodide', 'native']) {
      const given = changed(programParameters, 'runtime', runtime)
      expect(() => parseProgram(given)).toThrow(expect.objectContaining({ place: `${place}.limits.steps` }))
      expect(parseProgram(changed(given, 'limits.steps', undefined)).runtime).toBe(runtime)
    }
    expect(parseProgram(changed(programParameters, 'runtime', 'webassembly')).limits.steps).toBe(1_000_000)
  })

  test('may last an hour and no longer', () => {
    expect(programPlan({ manifest: { [`${place}.limits.timeMs`]: 90_000 } }).durationMs).toBe(3_600_000)
    const split = { kind: 'contributors', atMost: 3600 }
    expect(programPlan({ manifest: { [`${place}.split`]: split } }).durationMs).toBe(3_600_000)
    expect(() =>
      parseProgram(changed(programParameters, 'split', { kind: 'contributors', atMost: 3601 })),
    ).toThrow(expect.objectContaining({ place: `${place}.limits.timeMs` }))
  })

  test('any JSON in any place gives parameters or a typed error', () => {
    const paths = Object.keys(programParameters)
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        try {
          parseProgram(changed(programParameters, path, value))
        } catch (error) {
          expect(error).toBeInstanceOf(ComputeError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
