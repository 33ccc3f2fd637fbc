import { ContractsError } from '@sealpool/contracts'
import { CryptoError } from '@sealpool/crypto'
import { expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import { hintOf } from './hint.js'

const reverted = (name: string) =>
  new ContractsError('REVERTED', 'PoolGovernor.castVote', name, { revert: { name, args: [] } })

test('says what to type where the message only says what is so', () => {
  expect(hintOf(new ClientError('RESULT_MISSING', 'job 1', 'no result'))).toMatch(
    /^sealpool job <job> --wait/,
  )
  expect(hintOf(reverted('GovernorUnexpectedProposalState'))).toMatch(/^sealpool proposal /)
  expect(hintOf(reverted('TransitionNotAllowed'))).toMatch(/^sealpool job /)
  const sealed = new CryptoError('NO_MATCHING_IDENTITY', '$.recipients', 'not sealed to any')
  expect(hintOf(sealed)).toMatch(/^--result-key-file /)
  expect(hintOf(new CryptoError('KEY_INVALID', 'key', 'no key'))).toBeUndefined()
})

test('and nothing anywhere else', () => {
  for (const error of [
    new ClientError('OPTION_INVALID', 'command', 'wrong'),
    reverted('EnforcedPause'),
    new Error('RESULT_MISSING'),
    undefined,
  ])
    expect(hintOf(error)).toBeUndefined()
})
