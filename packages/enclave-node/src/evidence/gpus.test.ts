import { type GpuMode, gpuModeEvent, gpuNonce, verifyNvidiaToken } from '@sealpool/attest/platform-evidence'
import { createSimulator } from '@sealpool/attest/simulator'
import { encodeHex, platformRandom } from '@sealpool/crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeDstack, fakeSimulator, startFakeDstack } from '../testing/fake-machine.js'
import { dstackAgent, dstackQuoteProvider } from './dstack-agent.js'
import { dstackGpus } from './dstack-gpus.js'
import type { GpuDriver } from './guest-gpus.js'
import { nvidiaDriver, type RunProgram, runProgram } from './nvidia-driver.js'
import { confidentialMode, gpuServiceOf, simulatedGpus } from './simulated-gpus.js'
import { simulatedPlatform, simulatorQuoteProvider } from './simulator-quote-provider.js'

const programs = { nvidiaSmi: '/bin/nvidia-smi', nvattest: '/bin/nvattest' }
const nonce = new Uint8Array(32).fill(0xab)
const failed = (why: RegExp) => ({ code: 'QUOTE_FAILED', message: expect.stringMatching(why) as string })

/** What the programs of a machine with two GPUs in confidential mode write, as far as nothing is changed. */
function written(change: Record<string, string> = {}): { run: RunProgram; asked: string[] } {
  const asked: string[] = []
  const answers: Record<string, string> = {
    '/bin/nvidia-smi --query-gpu=uuid --format=csv,noheader': 'GPU-0a\nGPU-0b\n',
    '/bin/nvidia-smi conf-compute -f': 'CC status: ON\n',
    '/bin/nvidia-smi conf-compute -d': 'DevTools Mode: OFF\n',
    [`/bin/nvattest attest --device gpu --verifier remote --nonce ${'ab'.repeat(32)}`]: JSON.stringify({
      claims: [],
      detached_eat: [['JWT', 'a.b.c'], { 'GPU-0': 'd.e.f' }],
      result_code: 0,
      result_message: 'Ok',
    }),
    ...change,
  }
  const run: RunProgram = async (path, given) => {
    const line = [path, ...given].join(' ')
    asked.push(line)
    const answer = answers[line]
    if (answer === undefined) throw new Error('it failed')
    return answer
  }
  return { run, asked }
}
const driverOf = (change?: Record<string, string>) => nvidiaDriver(programs, written(change).run)

describe('NVIDIA’s programs', () => {
  it('say how many GPUs there are and how they are set, and bring the service’s token for a nonce', async () => {
    expect(await driverOf().mode()).toEqual(confidentialMode(2))
    expect(JSON.parse(await driverOf().token(nonce))).toEqual([['JWT', 'a.b.c'], { 'GPU-0': 'd.e.f' }])
  })

  it.each<[string, Partial<GpuMode>]>([
    ['-f', { confidentialComputing: 'off' }],
    ['-d', { developerTools: 'on' }],
  ])('are believed for the worse as well: %s', async (option, change) => {
    const output = option === '-f' ? 'CC status: OFF\n' : 'DevTools Mode: ON\n'
    const driver = driverOf({ [`/bin/nvidia-smi conf-compute ${option}`]: output })
    expect(await driver.mode()).toEqual({ ...confidentialMode(2), ...change })
  })

  it.each<[string, Record<string, string>]>([
    ['another form of the mode', { '/bin/nvidia-smi conf-compute -f': 'CC status: MAYBE' }],
    ['nothing of developers’ tools', { '/bin/nvidia-smi conf-compute -d': '' }],
  ])('are not guessed at: %s', async (_, change) => {
    await expect(driverOf(change).mode()).rejects.toMatchObject(failed(/another form/))
  })

  const asked = `/bin/nvattest attest --device gpu --verifier remote --nonce ${'ab'.repeat(32)}`
  it.each<[string, string]>([
    ['no JSON', 'Ok'],
    ['a failure', '{"result_code":1,"detached_eat":[["JWT","a"],{}]}'],
    ['no token', '{"result_code":0}'],
    ['a token of another form', '{"result_code":0,"detached_eat":"a"}'],
    ['half a token', '{"result_code":0,"detached_eat":[["JWT","a"]]}'],
  ])('bring no token: %s', async (_, output) => {
    await expect(driverOf({ [asked]: output }).token(nonce)).rejects.toMatchObject(failed(/another form/))
  })

  it('fail by name where they are not there', async () => {
    const { nvidiaSmi, nvattest } = { nvidiaSmi: '/nowhere/nvidia-smi', nvattest: '/nowhere/nvattest' }
    const driver = nvidiaDriver({ nvidiaSmi, nvattest }, runProgram(5_000))
    await expect(driver.mode()).rejects.toMatchObject(failed(/nowhere\/nvidia-smi.*failed/))
    await expect(driver.token(nonce)).rejects.toMatchObject(failed(/nowhere\/nvattest.*failed/))
  })

  it('are run to their end, and not longer than they may', async () => {
    expect(await runProgram(5_000)(process.execPath, ['-p', '6*7'])).toBe('42\n')
    await expect(runProgram(300)(process.execPath, ['-e', 'setInterval(()=>0,1e3)'])).rejects.toThrow()
  })
})

describe('a dstack guest with GPUs', () => {
  let stop = async (): Promise<void> => undefined
  afterEach(() => stop())
  async function guest(change: Partial<FakeDstack> = {}, mode: GpuMode = confidentialMode(2)) {
    const agent: FakeDstack = { simulator: fakeSimulator(), asked: [], appEvents: [], ...change }
    const { socketPath, stop: end } = await startFakeDstack(agent)
    stop = end
    const service = gpuServiceOf(agent.simulator)
    const driver: GpuDriver & { mode: () => Promise<GpuMode> } = {
      mode: async () => mode,
      token: async (given) => JSON.stringify(service.token({ nonce: given, devices: 2, at: new Date() })),
    }
    const calls = dstackAgent({ socketPath, timeoutMs: 5_000 })
    const gpus = () => dstackGpus(calls, driver, 2)
    const provider = (own = gpus()) =>
      dstackQuoteProvider(calls, async () => agent.simulator.collateral(new Date()), own)
    return { agent, driver, gpus, provider }
  }
  const record = (mode: GpuMode) => ({
    name: 'sealpool-gpu-mode',
    payload: encodeHex(gpuModeEvent(mode).payload).slice(2),
  })

  it('records their mode before its first quote, once, also when it is started anew', async () => {
    const { agent, provider, gpus } = await guest()
    const first = provider()
    await Promise.all([first.quote(new Uint8Array(64)), first.quote(new Uint8Array(64).fill(1))])
    await provider(gpus()).quote(new Uint8Array(64))
    expect(agent.appEvents).toEqual([record(confidentialMode(2))])
    expect(agent.asked.indexOf('EmitEvent')).toBeLessThan(agent.asked.lastIndexOf('GetQuote'))
  })

  it('records it once more where it has changed, which is refused by whoever judges it', async () => {
    const { agent, provider, driver, gpus } = await guest()
    await provider().quote(new Uint8Array(64))
    const on: GpuMode = { ...confidentialMode(2), developerTools: 'on' }
    driver.mode = async () => on
    await provider(gpus()).quote(new Uint8Array(64))
    expect(agent.appEvents).toEqual([record(confidentialMode(2)), record(on)])
  })

  it('shows log and token for the nonce that follows from its quote', async () => {
    const { agent, provider } = await guest()
    const own = provider()
    const reportData = new Uint8Array(64).fill(9)
    await own.quote(reportData)
    const shown = await own.gpus?.evidence(reportData)
    const { serviceKeys: keys } = gpuServiceOf(agent.simulator)
    const asked = { keys, at: new Date(), nonce: gpuNonce(reportData) }
    expect(verifyNvidiaToken(JSON.parse(shown?.token ?? ''), asked).ok).toBe(true)
    expect(shown?.eventLog).toContain(record(confidentialMode(2)).payload)
  })

  it('gives no quote while they cannot be asked, are others than the settings say, or cannot be recorded', async () => {
    const { provider, driver, gpus } = await guest()
    const quote = (own = gpus()) => provider(own).quote(new Uint8Array(64))
    driver.mode = async () => confidentialMode(3)
    await expect(quote()).rejects.toMatchObject(failed(/names 3 GPUs, and the settings 2/))
    const again = gpus()
    driver.mode = async () => {
      throw new Error('away')
    }
    await expect(quote(again)).rejects.toThrow('away')
    driver.mode = async () => confidentialMode(2)
    await quote(again)
    await stop()
    const deaf = await guest({ answer: (method) => (method === 'EmitEvent' ? { body: '' } : undefined) })
    await expect(deaf.provider().quote(new Uint8Array(64))).rejects.toMatchObject(failed(/does not show/))
    await stop()
    const odd = await guest({
      answer: (method) =>
        method === 'GetQuote' ? { body: JSON.stringify({ quote: '00', event_log: '{' }) } : undefined,
    })
    await expect(odd.provider().quote(new Uint8Array(64))).rejects.toMatchObject(failed(/not JSON/))
    await stop()
    const other = await guest({
      answer: (method) =>
        method === 'GetQuote' ? { body: JSON.stringify({ quote: '00', event_log: '{}' }) } : undefined,
    })
    await expect(other.provider().quote(new Uint8Array(64))).rejects.toMatchObject(failed(/none of dstack/))
  })
})

describe('SIMULATED GPUs', () => {
  it('are measured with their machine, which says that it is simulated', async () => {
    const simulator = createSimulator({ random: platformRandom, at: new Date() })
    const gpus = simulatedGpus(gpuServiceOf(simulator), [confidentialMode(2)], () => new Date())
    const provider = simulatorQuoteProvider(simulator, () => new Date(), undefined, gpus)
    expect([provider.simulated, provider.gpus]).toEqual([true, gpus])
    const { rtmrs, measurement } = simulatedPlatform(simulator, undefined, gpus)
    expect(rtmrs).toEqual(gpus.rtmrs.map((one) => encodeHex(one)))
    expect(measurement).not.toBe(simulatedPlatform(simulator).measurement)
  })
})
