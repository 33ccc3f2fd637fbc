import { programParameters, programRuntimes, storeProgram } from '../program/program.js'
import { usage } from './arguments.js'
import type { Command } from './command.js'
import { jsonText, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { readBytes } from './settings.js'

/** What consumers do who have code of their own run. */
export const programCommand: Command = {
  name: 'program',
  summary: 'store a program for the pool’s node, and begin the parameters of its job in a new file',
  example: 'sealpool program median.js parameters.json --runtime quickjs',
  positionals: ['program-file', 'parameters-file'],
  options: {
    runtime: { value: 'NAME', help: programRuntimes.join(', '), required: true },
    entry: { value: 'NAME', help: 'function that is called; default main' },
  },
  details:
    'Edit the parameters, then: sealpool compute <parameters-file> --computation program ...\nThe digest that is printed as program is what a policy lists and a receipt names.',
  needs: 'read',
  async run({ given, opened }) {
    const [file = '', made = ''] = given.positionals
    const name = given.need('runtime')
    const runtime = programRuntimes.find((one) => one === name)
    if (runtime === undefined) throw usage('--runtime', `expected ${programRuntimes.join(', ')}`)
    const entry = given.get('entry')
    const bytes = await readBytes(file, '<program-file>')
    const { blobStore, policy } = opened()
    const { stored } = await intoNewFile(made, '<parameters-file>', async () => {
      const done = await storeProgram({
        blobStore,
        bytes,
        runtime,
        ...(entry === undefined ? {} : { entry }),
      })
      return { stored: done, content: `${jsonText(programParameters(done, policy))}\n` }
    })
    const rows = [
      ['code', stored.code],
      ['program', stored.program],
      ['next', `edit ${made}; then sealpool compute ${made} --computation program`],
    ]
    return { json: stored, text: table(rows) }
  },
}
