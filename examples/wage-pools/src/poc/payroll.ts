import { definePoc, refuse } from '@sealpool/poc/define'

interface Payroll {
  readonly account: string
  readonly period: string
  readonly wage: number
  readonly currency: string
  readonly complete: boolean
}

const fields = ['employee', 'account', 'period', 'wage', 'currency', 'union', 'occupation', 'sector'] as const

/** Proof of contribution of the pool `pay`: a payroll statement that the bureau signed for this very wallet. */
export default definePoc<Payroll>({
  id: 'wage-pools/payroll',
  version: '1.0.0',
  issuers: [{ name: 'Payroll Bureau 1985', ed25519PublicKey: 'QeAUF1bAH2G7RwwNF3iweDQsF5oK3q025HpN5oi3JtE' }],
  input: (raw) => {
    const { payload } = raw as { payload?: Record<string, unknown> }
    if (typeof payload !== 'object' || payload === null) return refuse('WRONG_FORMAT', 'payload')
    const { account, period, wage, currency } = payload
    if (typeof account !== 'string' || typeof wage !== 'string' || !/^\d{1,4}\.\d{2}$/.test(wage)) {
      return refuse('WRONG_FORMAT', 'payload')
    }
    return {
      account,
      period: String(period),
      wage: Number(wage),
      currency: String(currency),
      complete: fields.every((name) => payload[name] !== undefined && payload[name] !== ''),
    }
  },
  checks: {
    owner: ({ account }, { facts }) => ({
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
    complete: ({ complete }) => ({ passed: complete, place: 'payload' }),
    plausible: ({ wage, currency }) => ({
      passed: currency === 'USD' && wage >= 0.5 && wage <= 100,
      weight: 2,
      place: 'payload.wage',
    }),
  },
  score: { authenticity: 4, ownership: 2, quality: 3, uniqueness: 1 },
  minimumScore: 0.6,
})
