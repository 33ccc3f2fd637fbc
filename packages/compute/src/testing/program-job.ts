import { type PoolPolicy, parsePoolPolicy } from '@sealpool/privacy'
import { planComputation } from '../computation/plan.js'
import { type JobManifest, parseJobManifest } from '../job/manifest.js'
import type { ProgramPlan } from '../program/plan-program.js'
import { programDigest } from '../program/program-digest.js'
import { changed, manifestJson, policyJson } from './wage-job.js'

/** Digest of a program's bytes. */
export const bytesOfProgram = `sha256:${'5e'.repeat(32)}` as const

/** A policy that accepts one program, as plain JSON to change in tests. */
export const programPolicyJson = () => {
  const { pay } = policyJson()
  return {
    ...pay,
    code: {
      ...pay.code,
      computations: ['linear-regression', 'program'],
      programs: [programDigest({ runtime: 'quickjs', entry: 'main', code: bytesOfProgram })] as
        | 'voted'
        | string[],
    },
    tables: [
      ...pay.tables,
      {
        name: 'visits',
        rowsPerContributor: 5,
        columns: [
          { name: 'length', type: 'integer', min: 0, max: 10, nullable: true, use: ['measure'] },
          { name: 'day', type: 'date', nullable: true, use: ['filter'] },
        ],
      },
    ],
  }
}

/** Parameters of that program, for both ways to split. */
export const programParameters = {
  runtime: 'quickjs',
  code: bytesOfProgram,
  entry: 'main',
  tables: [
    { table: 'workers', columns: ['wage', 'union_member'], rows: 1 },
    { table: 'visits', columns: ['length', 'day'], rows: 2 },
  ],
  argument: { quantile: 0.5 },
  split: { kind: 'blocks', blocks: 40 } as
    | { kind: 'blocks'; blocks: number }
    | { kind: 'contributors'; atMost: number },
  outputs: [
    { name: 'wage', min: 0, max: 20 },
    { name: 'visits', min: -1, max: 3 },
  ],
  limits: { memoryBytes: 67_108_864, timeMs: 1000, steps: 1_000_000 },
}

/** A manifest of that program as plain JSON to change in tests. */
export const programManifestJson = () => {
  const json = manifestJson()
  return {
    ...json,
    title: 'Median wage',
    pools: json.pools.slice(0, 1),
    compute: { computation: 'program', parameters: structuredClone(programParameters) },
  }
}

/** The same, parsed. */
export const programManifest = (): JobManifest => parseJobManifest(programManifestJson())

/** The plan of that program, with places of manifest or policy overwritten. */
export function programPlan(
  changes: {
    readonly manifest?: { readonly [path: string]: unknown }
    readonly policy?: { readonly [path: string]: unknown }
  } = {},
): ProgramPlan {
  const manifest = Object.entries(changes.manifest ?? {}).reduce(
    (json, [path, value]) => changed(json, path, value),
    programManifestJson(),
  )
  const policy = Object.entries(changes.policy ?? {}).reduce(
    (json, [path, value]) => changed(json, path, value),
    programPolicyJson(),
  )
  const policies: PoolPolicy[] = [parsePoolPolicy(policy)]
  const plan = planComputation({ manifest: parseJobManifest(manifest), policies })
  if (plan.computation !== 'program') throw new Error('the manifest is of a program')
  return plan
}
