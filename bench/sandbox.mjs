// What a fresh, isolated context costs for each run, against the same function without any isolation.
import { createContext, Script } from 'node:vm'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const limits = { memoryBytes: 64 * 2 ** 20, timeMs: 5_000, outputBytes: 2 ** 20 }
const code = `globalThis.sealpool = {
  summary: (values) => ({ count: values.length, sum: values.reduce((sum, value) => sum + value, 0) }),
  sieve: (limit) => {
    const composite = []
    let primes = 0
    for (let n = 2; n <= limit; n++) {
      if (composite[n]) continue
      primes += 1
      for (let m = n * n; m <= limit; m += n) composite[m] = true
    }
    return primes
  },
}`
const small = { entry: 'summary', input: Array.from({ length: 300 }, (_, index) => index / 3) }
const large = { entry: 'sieve', input: 200_000 }

/** A new V8 context for each run and JSON on both sides, as the sandbox has it; no isolation at all. */
const freshVm =
  (script) =>
  ({ entry, input }) => {
    const context = createContext({})
    script.runInContext(context)
    return JSON.parse(JSON.stringify(context.sealpool[entry](JSON.parse(JSON.stringify(input)))))
  }

export async function run({ print }) {
  printMachine(print)
  const script = new Script(code)
  const context = createContext({})
  script.runInContext(context)
  const direct = ({ entry, input }) => context.sealpool[entry](input)
  const vm = freshVm(script)
  const runtimes = {
    quickjs: await createQuickJsRuntime(),
    process: await createProcessRuntime({ isolation: 'process' }),
  }
  try {
    runtimes.bubblewrap = await createProcessRuntime({ isolation: 'bubblewrap' })
  } catch (error) {
    print(`bubblewrap is not measured: ${error.code}`)
  }
  const labels = {
    quickjs: 'QuickJS in this process, fresh context',
    process: 'the same in a child process',
    bubblewrap: 'the same in a child under bubblewrap',
    vm: 'node:vm, fresh context and JSON: NO isolation',
    direct: 'V8, the function called directly: NO isolation',
  }
  const names = [...Object.keys(runtimes), 'vm', 'direct']

  const measure = async (job, count) => {
    const expected = JSON.stringify(direct(job))
    const work = {
      vm: () => repeat(count, () => vm(job)),
      direct: () => repeat(count, () => direct(job)),
    }
    for (const [name, runtime] of Object.entries(runtimes)) {
      work[name] = async () => {
        for (let index = 0; index < count; index++) {
          const result = await runtime.run({ code, limits, ...job })
          if (!result.ok || JSON.stringify(result.output) !== expected)
            throw new Error(`${name}: wrong answer`)
        }
      }
    }
    const took = await compare(work)
    return (name) => took[name] / count
  }

  try {
    const seconds = await measure(small, 100)
    printTable(print, {
      title: 'A small job (300 numbers summed): the cost of isolation',
      columns: ['', 'runs/s', 'ms each', 'ms over node:vm'],
      rows: names.map((name) => [
        labels[name],
        figure(1 / seconds(name)),
        figure(seconds(name) * 1000),
        name === 'vm' || name === 'direct' ? null : figure((seconds(name) - seconds('vm')) * 1000),
      ]),
    })
    const long = await measure(large, 3)
    printTable(print, {
      title: 'A long job (primes below 200,000): an interpreter against V8’s compiler',
      columns: ['', 'ms each', 'time / direct'],
      rows: names.map((name) => [labels[name], figure(long(name) * 1000), ratio(long(name), long('direct'))]),
    })
    const starts = await compare({
      process: () => startAndClose('process'),
      ...(runtimes.bubblewrap === undefined ? {} : { bubblewrap: () => startAndClose('bubblewrap') }),
    })
    printTable(print, {
      title: 'Starting and ending a child, once for many runs',
      columns: ['', 'ms'],
      rows: Object.entries(starts).map(([name, value]) => [name, figure(value * 1000)]),
    })
  } finally {
    for (const runtime of Object.values(runtimes)) await runtime.close()
  }
}

function repeat(count, work) {
  for (let index = 0; index < count; index++) work()
}

async function startAndClose(isolation) {
  await (await createProcessRuntime({ isolation })).close()
}
