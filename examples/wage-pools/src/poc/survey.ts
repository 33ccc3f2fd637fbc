import { definePoc, refuse } from '@sealpool/poc/define'

interface Answers {
  readonly account: string
  readonly education: number
  readonly experience: number
  readonly age: number
  readonly answered: number
}

const columns = [
  'respondent',
  'account',
  'education',
  'experience',
  'age',
  'gender',
  'race',
  'married',
  'south',
]

function wholeNumber(text: string | undefined, place: string): number {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : refuse('MALFORMED_EXPORT', place)
}

/** Proof of contribution of the pool `people`: one respondent's answers, consistent in themselves, for this very wallet. */
export default definePoc<Answers>({
  id: 'wage-pools/survey',
  version: '1.0.0',
  input: (raw) => {
    const rows = raw as readonly Readonly<Record<string, string>>[]
    const [row] = rows
    if (row === undefined || rows.length !== 1) return refuse('MALFORMED_EXPORT', 'rows')
    if (columns.some((name) => row[name] === undefined)) return refuse('MALFORMED_EXPORT', 'header')
    return {
      account: row['account'] ?? '',
      education: wholeNumber(row['education'], 'education'),
      experience: wholeNumber(row['experience'], 'experience'),
      age: wholeNumber(row['age'], 'age'),
      answered: columns.filter((name) => row[name] !== '').length,
    }
  },
  checks: {
    owner: ({ account }, { facts }) => ({
      passed: account === facts.owner,
      dimension: 'ownership',
      place: 'account',
      refusal: 'WRONG_OWNER',
    }),
    complete: ({ answered }) => ({
      passed: answered === columns.length,
      degree: answered / columns.length,
      place: 'rows',
    }),
    age: ({ age }) => ({ passed: age >= 14 && age <= 110, place: 'age' }),
    // The survey computes experience as age less schooling less six; an answer far from that is a slip.
    consistent: ({ age, education, experience }) => ({
      passed: Math.abs(age - education - 6 - experience) <= 1,
      weight: 2,
      place: 'experience',
    }),
  },
  score: { ownership: 3, quality: 5, uniqueness: 2 },
  minimumScore: 0.5,
})
