import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PrivacyError } from '../errors.js'
import { parsePoolPolicy } from './policy.js'

const digest = `sha256:${'ab'.repeat(32)}`
const example = () => ({
  format: 'sealpool/pool-policy',
  version: 1,
  name: 'pay',
  description: 'Hourly wages of workers.',
  purposes: ['research'],
  attestation: { format: 'sealpool/attestation-policy', roots: ['intel'] },
  code: { poc: digest, refiner: digest, computations: ['linear-regression'] },
  tables: [
    {
      name: 'workers',
      rowsPerContributor: 1,
      columns: [
        {
          name: 'wage',
          type: 'decimal',
          decimals: 2,
          min: 1,
          max: 30,
          nullable: false,
          use: ['measure', 'filter'],
        },
        {
          name: 'union_member',
          type: 'boolean',
          values: [false, true],
          nullable: false,
          use: ['group', 'filter'],
        },
        { name: 'town', type: 'text', open: true, nullable: true, use: ['group'] },
        { name: 'education', type: 'integer', min: 2, max: 18, nullable: false, use: ['measure', 'group'] },
        {
          name: 'hired',
          type: 'date',
          earliest: '1990-01-01',
          latest: '2024-12-31',
          nullable: true,
          use: ['group', 'filter', 'measure'],
        },
        {
          name: 'seen',
          type: 'timestamp',
          earliest: '2020-01-01',
          latest: '2024-12-31T23:59:59.5Z',
          nullable: true,
          use: ['filter'],
        },
      ],
      rows: [{ column: 'hired', earliest: '1995-01-01' }],
    },
  ],
  privacy: {
    accounting: 'basic',
    epsilon: 6,
    delta: 1e-6,
    perJob: { epsilon: 2, delta: 2.5e-7 },
    minimumContributors: 10,
    maximumGroups: 64,
  },
  joins: { allowed: true, with: ['people'] },
  economics: { price: '50000000000000000000', poolTokenBurn: '0' },
})

/** The example with one place overwritten (or removed, when the value is undefined). */
function changed(path: string, value: unknown): unknown {
  const policy: unknown = example()
  const keys = path.split('.')
  let at = policy as Record<string, unknown>
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>
  const last = keys.at(-1) ?? ''
  if (value === undefined) delete at[last]
  else at[last] = value
  return policy
}

const column = 'tables.0.columns'
const programs = { poc: digest, refiner: digest, computations: ['program'] }

describe('pool policy', () => {
  test('is parsed unchanged', () => {
    expect(parsePoolPolicy(example())).toEqual(example())
  })

  test('says which programs may run: those that are voted for, or those of a list', () => {
    for (const listed of ['voted', [digest]]) {
      const policy = parsePoolPolicy(changed('code', { ...programs, programs: listed }))
      expect(policy.code.programs).toEqual(listed)
    }
    expect(parsePoolPolicy(changed('code', programs)).code.programs).toBeUndefined()
  })

  test('says which later proofs may judge again what is sealed under it', () => {
    const code = { poc: digest, refiner: digest, computations: [] }
    for (const rescoring of ['voted', [digest]] as const)
      expect(parsePoolPolicy(changed('code', { ...code, rescoring })).code.rescoring).toEqual(rescoring)
    expect(parsePoolPolicy(changed('code', code)).code.rescoring).toBeUndefined()
    for (const wrong of ['all', [], ['sha256:12'], [digest, digest], null]) {
      expect(() => parsePoolPolicy(changed('code', { ...code, rescoring: wrong }))).toThrow(
        expect.objectContaining({ place: expect.stringMatching(/^code\.rescoring/) }),
      )
    }
  })

  test.each([
    ['an unknown field', 'extra', 1, '$'],
    ['another format', 'format', 'other', 'format'],
    ['a later version', 'version', 2, 'version'],
    ['a name that SQL would fold', 'name', 'Pay', 'name'],
    ['a name with look-alike letters', 'name', 'p\u0430y', 'name'],
    ['no purpose', 'purposes', [], 'purposes'],
    ['a purpose twice', 'purposes', ['a', 'a'], 'purposes'],
    ['a bad digest', 'code.poc', 'sha256:12', 'code.poc'],
    ['programs without the computation', 'code.programs', 'voted', 'code.programs'],
    ['programs of a bad digest', 'code', { ...programs, programs: ['sha256:12'] }, 'code.programs[0]'],
    ['a program twice', 'code', { ...programs, programs: [digest, digest] }, 'code.programs'],
    ['an empty list of programs', 'code', { ...programs, programs: [] }, 'code.programs'],
    ['programs by another word', 'code', { ...programs, programs: 'all' }, 'code.programs'],
    [
      'too many programs',
      'code',
      {
        ...programs,
        programs: Array.from({ length: 101 }, (_, i) => `sha256:${String(i).padStart(64, '0')}`),
      },
      'code.programs',
    ],
    ['no tables', 'tables', [], 'tables'],
    ['zero rows per contributor', 'tables.0.rowsPerContributor', 0, 'tables[0].rowsPerContributor'],
    ['the contributor as a column', `${column}.0.name`, 'contributor', 'tables[0].columns[0].name'],
    ['a column twice', `${column}.1.name`, 'wage', 'tables[0].columns[1].name'],
    ['a decimal without decimals', `${column}.0.decimals`, undefined, 'tables[0].columns[0].decimals'],
    ['decimals of an integer', `${column}.3.decimals`, 1, 'tables[0].columns[3].decimals'],
    ['a measure without min', `${column}.0.min`, undefined, 'tables[0].columns[0].min'],
    ['a measure without max', `${column}.0.max`, undefined, 'tables[0].columns[0].max'],
    ['a range turned round', `${column}.0.max`, 0.5, 'tables[0].columns[0].max'],
    ['an empty range', `${column}.0.max`, 1, 'tables[0].columns[0].max'],
    ['a bound off the grid', `${column}.0.min`, 1.005, 'tables[0].columns[0].min'],
    ['a bound beyond 2^53 steps', `${column}.0.max`, 1e15, 'tables[0].columns[0].max'],
    ['an infinite bound', `${column}.0.max`, Number.POSITIVE_INFINITY, 'tables[0].columns[0].max'],
    ['a range of a boolean', `${column}.1.min`, 0, 'tables[0].columns[1].min'],
    ['a text measure', `${column}.2.use`, ['group', 'measure'], 'tables[0].columns[2].use'],
    ['a use twice', `${column}.0.use`, ['measure', 'measure'], 'tables[0].columns[0].use'],
    ['a group without public values', `${column}.2.open`, undefined, 'tables[0].columns[2].values'],
    [
      'a decimal group without public values',
      `${column}.0.use`,
      ['measure', 'group'],
      'tables[0].columns[0].values',
    ],
    ['a group with too wide a range', `${column}.3.max`, 5000, 'tables[0].columns[3].values'],
    ['a group both open and public', `${column}.1.open`, true, 'tables[0].columns[1].open'],
    ['open without group', `${column}.0.open`, true, 'tables[0].columns[0].open'],
    ['a value twice', `${column}.1.values`, [true, true], 'tables[0].columns[1].values'],
    ['a value of another type', `${column}.1.values`, ['yes'], 'tables[0].columns[1].values'],
    ['a value outside the range', `${column}.3.values`, [1], 'tables[0].columns[3].values'],
    ['a value off the grid', `${column}.3.values`, [2.5], 'tables[0].columns[3].values'],
    ['a date that is none', `${column}.4.earliest`, '1990-02-30', 'tables[0].columns[4].earliest'],
    ['a date with a time', `${column}.4.latest`, '2024-12-31 10:00', 'tables[0].columns[4].latest'],
    ['a time in a zone', `${column}.5.latest`, '2024-12-31T10:00:00+02:00', 'tables[0].columns[5].latest'],
    ['a date before the calendar', `${column}.4.earliest`, '0099-12-31', 'tables[0].columns[4].earliest'],
    ['dates turned round', `${column}.4.latest`, '1990-01-01', 'tables[0].columns[4].latest'],
    ['half a range of dates', `${column}.5.latest`, undefined, 'tables[0].columns[5].latest'],
    ['a later half of a range of dates', `${column}.5.earliest`, undefined, 'tables[0].columns[5].earliest'],
    ['a number for a date', `${column}.4.min`, 1, 'tables[0].columns[4].min'],
    ['a date for a number', `${column}.3.earliest`, '1990-01-01', 'tables[0].columns[3].earliest'],
    ['a list of dates', `${column}.4.values`, ['1990-01-01'], 'tables[0].columns[4].values'],
    [
      'a date as measure without a range',
      `${column}.4`,
      { name: 'hired', type: 'date', nullable: true, use: ['measure'] },
      'tables[0].columns[4].earliest',
    ],
    [
      'a date as group without a range',
      `${column}.4`,
      { name: 'hired', type: 'date', nullable: true, use: ['group'] },
      'tables[0].columns[4].values',
    ],
    [
      'a row rule with a number for a date',
      'tables.0.rows.0',
      { column: 'hired', min: 3 },
      'tables[0].rows[0].min',
    ],
    [
      'a row rule with a list of dates',
      'tables.0.rows.0',
      { column: 'hired', in: ['1995-01-01'] },
      'tables[0].rows[0].in',
    ],
    [
      'a row rule with a date for a number',
      'tables.0.rows.0',
      { column: 'wage', latest: '1995-01-01' },
      'tables[0].rows[0].latest',
    ],
    [
      'a row rule with no date',
      'tables.0.rows.0',
      { column: 'hired', latest: '1995-02-29' },
      'tables[0].rows[0].latest',
    ],
    [
      'a row rule with dates turned round',
      'tables.0.rows.0',
      { column: 'hired', earliest: '1996-01-01', latest: '1995-01-01' },
      'tables[0].rows[0].latest',
    ],
    [
      'a row rule of two kinds',
      'tables.0.rows.0',
      { column: 'hired', earliest: '1996-01-01', min: 3 },
      'tables[0].rows[0]',
    ],
    // As private as the texts that they are made of: there is no use for them that a policy could allow.
    ['a column of embeddings', `${column}.0.type`, 'vector', 'tables[0].columns[0].type'],
    ['a table twice', 'tables', [...example().tables, ...example().tables], 'tables[1].name'],
    ['a job dearer than the pool', 'privacy.perJob.epsilon', 7, 'privacy.perJob.epsilon'],
    ['a job with more delta than the pool', 'privacy.perJob.delta', 1e-5, 'privacy.perJob.delta'],
    ['an epsilon of zero', 'privacy.epsilon', 0, 'privacy.epsilon'],
    ['a delta that is not small', 'privacy.delta', 0.01, 'privacy.delta'],
    ['epsilon finer than the ledger', 'privacy.epsilon', 2.0000000001, 'privacy.epsilon'],
    [
      'open groups without delta',
      'privacy',
      { ...example().privacy, delta: 0, perJob: { epsilon: 2, delta: 0 } },
      'tables[0].columns[2].open',
    ],
    [
      'zCDP without delta',
      'privacy',
      { ...example().privacy, accounting: 'zcdp', delta: 0, perJob: { epsilon: 2, delta: 0 } },
      'privacy.delta',
    ],
    ['forbidden joins with a list', 'joins.allowed', false, 'joins.with'],
    ['a join with itself', 'joins.with', ['pay'], 'joins.with'],
    ['a view that is not known', 'views', { others: 'rows' }, 'views.others'],
    ['limits of views that are null', 'views', null, 'views'],
    ['a join twice', 'joins.with', ['people', 'people'], 'joins.with'],
    ['a price that is not whole', 'economics.price', '1.5', 'economics.price'],
  ])('refuses %s and names the place', (_, path, value, place) => {
    expect(() => parsePoolPolicy(changed(path, value))).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID', place }),
    )
  })

  test('any JSON gives a policy or a typed error', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('name', 'tables', 'privacy', 'joins', `${column}.0`, `${column}.0.values`),
        (value, path) => {
          for (const input of [value, changed(path, value ?? null)]) {
            try {
              parsePoolPolicy(input)
            } catch (error) {
              expect(error).toBeInstanceOf(PrivacyError)
            }
          }
        },
      ),
    )
  })
})
