import { approvalsAbi, nodeRegistryAbi, poolAbi, poolFactoryAbi } from '@sealpool/contracts'
import { toFunctionSelector } from 'viem'
import { expect, test } from 'vitest'
import { factoryQuestionAbi, nodeQuestionsAbi, poolQuestionsAbi } from '../verify/cut-abis.js'
import { consentAbi } from './consent-abi.js'

test.each([
  ['consent', consentAbi, approvalsAbi],
  ['node questions', nodeQuestionsAbi, nodeRegistryAbi],
  ['the factory question', factoryQuestionAbi, poolFactoryAbi],
  ['pool questions', poolQuestionsAbi, poolAbi],
] as const)('the cut ABI of %s says what the contract’s own says', (_name, cut, whole) => {
  const plain = (entry: object) =>
    JSON.parse(JSON.stringify(entry, (key, value) => (key === 'internalType' ? undefined : value)))
  for (const entry of cut) {
    const same = whole.filter((one) => one.type === 'function' && one.name === entry.name)
    expect(same.map(plain)).toEqual([entry])
    expect(toFunctionSelector(entry)).toMatch(/^0x[0-9a-f]{8}$/)
  }
})
