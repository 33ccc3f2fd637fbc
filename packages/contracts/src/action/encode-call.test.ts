import { describe, expect, test } from 'vitest'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { chainThat } from '../testing/scripted-chain.js'
import { encodeCall } from './encode-call.js'
import { inspect, invoke } from './invoke.js'

const ADDRESS = '0x00000000000000000000000000000000000000aa'
const invalid = (place: string, why: RegExp) => ({
  name: 'ContractsError',
  code: 'ARGUMENT_INVALID',
  place,
  message: expect.stringMatching(why) as string,
})
/** A chain that is asked nothing. */
const silent = () => chainThat({})

describe('arguments that a contract does not take', () => {
  test.each<[string, unknown]>([
    ['a number that is too large', 2n ** 300n],
    ['a number below zero', -1n],
    ['a text', 'x'],
    ['nothing', undefined],
    ['an object', {}],
  ])('are told by name before anything is sent: %s', async (_, id) => {
    const call = {
      address: ADDRESS,
      abi: dataRegistryAbi,
      functionName: 'withdraw',
      args: [id as bigint],
    } as const
    expect(() => encodeCall(call)).toThrow(
      expect.objectContaining(invalid('withdraw', /takes no such arguments/)),
    )
    await expect(invoke(silent(), call)).rejects.toMatchObject(invalid('withdraw', /takes no such arguments/))
  })

  test.each<[string, unknown]>([
    ['no address', '0x12'],
    ['nothing', undefined],
  ])('are told by name where a view is asked: %s', async (_, pool) => {
    const view = {
      address: ADDRESS,
      abi: poolFactoryAbi,
      functionName: 'indexOf',
      args: [pool as `0x${string}`],
    } as const
    await expect(inspect(silent(), view)).rejects.toMatchObject(invalid('indexOf', /[Aa]ddress/))
  })

  test('what a function takes is encoded as it is', () => {
    expect(encodeCall({ abi: dataRegistryAbi, functionName: 'withdraw', args: [5n] })).toMatch(
      /^0x[0-9a-f]{8}0{63}5$/,
    )
  })
})
