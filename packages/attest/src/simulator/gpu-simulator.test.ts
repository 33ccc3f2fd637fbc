import { describe, expect, it } from 'vitest'
import { verifyDstackEventLog, verifyNvidiaToken } from '../platform-evidence/index.js'
import { at, seededRandom } from '../testing/fixture.js'
import { hex } from '../testing/platform-appraisal-table.js'
import { createGpuSimulator, simulatedDstackLog, simulatedGpuModel } from './gpu-simulator.js'

const nonce = new Uint8Array(32).fill(7)
const make = (seed: string) => createGpuSimulator({ random: seededRandom(seed) })

describe('simulated GPUs', () => {
  it('are vouched for by a service of their own, and named as what they are', () => {
    const { serviceKeys: keys, token } = make('one')
    const verdict = verifyNvidiaToken(token({ nonce, devices: 3, at }), { keys, at, nonce })
    expect(verdict.ok).toBe(true)
    expect(verdict.devices.map(({ name, hardwareModel }) => [name, hardwareModel])).toEqual(
      [0, 1, 2].map((index) => [`GPU-${index}`, simulatedGpuModel]),
    )
    expect(simulatedGpuModel).toMatch(/SIMULATED.*NOT HARDWARE/)
  })

  it('have the same service for the same bytes, and another one else', () => {
    const { token } = make('one')
    const given = token({ nonce, devices: 1, at })
    expect(make('one').serviceKeys).toEqual(make('one').serviceKeys)
    const { serviceKeys: keys } = make('two')
    expect(verifyNvidiaToken(given, { keys, at, nonce }).ok).toBe(false)
  })
})

describe('the event log of a simulated guest', () => {
  it('replays to the registers that its quotes must carry', () => {
    const payload = new TextEncoder().encode('word')
    const { eventLog, rtmrs } = simulatedDstackLog({
      composeHash: `0x${'0c'.repeat(32)}`,
      appId: `0x${'0b'.repeat(20)}`,
      appEvents: [{ name: 'said', payload }],
    })
    const registers = rtmrs.map((one) => `0x${Buffer.from(one).toString('hex')}` as const)
    const [rtmr0 = hex(0, 48), rtmr1 = rtmr0, rtmr2 = rtmr0, rtmr3 = rtmr0] = registers
    const verdict = verifyDstackEventLog({ eventLog, claims: { rtmrs: [rtmr0, rtmr1, rtmr2, rtmr3] } })
    expect(verdict.checks.filter(({ result }) => result === 'fail')).toEqual([])
    expect(verdict.facts).toMatchObject({
      composeHash: `0x${'0c'.repeat(32)}`,
      appEvents: [{ name: 'said', payload: '0x776f7264' }],
    })
  })

  it('has no event without a name', () => {
    const guest = { composeHash: '0x00', appId: '0x00', appEvents: [{ name: '', payload: nonce }] } as const
    expect(() => simulatedDstackLog(guest)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})
