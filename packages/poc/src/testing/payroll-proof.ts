/** The proof that the tests judge with: signed payroll exports, as a builder would write it. */
import { type CheckResult, definePoc, refuse } from '../define/index.js'

interface Payroll {
  readonly account: string
  readonly period: string
  readonly wage: number
  readonly occupation: string
}

const occupations = ['Clerical', 'Management', 'Pflege', 'Gärtnerei', '看護']

function readPayroll(raw: unknown): Payroll {
  if (typeof raw !== 'object' || raw === null || !('payload' in raw)) return refuse('WRONG_FORMAT', 'file')
  const { account, period, wage, occupation } = raw.payload as Record<string, unknown>
  if (typeof account !== 'string') return refuse('WRONG_FORMAT', 'payload.account')
  if (typeof period !== 'string') return refuse('WRONG_FORMAT', 'payload.period')
  if (typeof wage !== 'string' || !/^\d{1,4}\.\d\d$/.test(wage)) return refuse('WRONG_FORMAT', 'payload.wage')
  if (typeof occupation !== 'string') return refuse('WRONG_FORMAT', 'payload.occupation')
  return { account, period, wage: Number(wage), occupation }
}

export default definePoc<Payroll>({
  id: 'test/payroll',
  version: '1.0.0',
  issuers: [{ name: 'Payroll Bureau 1985', ed25519PublicKey: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
  input: readPayroll,
  checks: {
    owner: ({ account }, { facts }): CheckResult => ({
      passed: account === facts.owner,
      dimension: 'ownership',
      place: 'payload.account',
      refusal: 'WRONG_OWNER',
    }),
    period: ({ period }) => ({
      passed: period === '1985-05',
      place: 'payload.period',
      refusal: 'WRONG_PERIOD',
    }),
    wage: ({ wage }) => ({
      passed: wage >= 1 && wage <= 100,
      degree: wage > 100 ? 100 / wage : 1,
      weight: 2,
      place: 'payload.wage',
    }),
    occupation: ({ occupation }) => ({
      passed: occupations.includes(occupation),
      place: 'payload.occupation',
    }),
  },
  score: { authenticity: 1, ownership: 1, quality: 2, uniqueness: 1 },
  attributes: ({ occupation }) => ({
    category: occupations.includes(occupation) ? occupation : null,
    columns: 4,
  }),
})
