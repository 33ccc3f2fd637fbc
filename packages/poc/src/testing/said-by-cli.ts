import { runPocCli } from '../cli/run.js'

/**
 * Runs `sealpool-poc` here to its end.
 *
 * @param args - words behind its name
 * @returns exit code, and what it said
 */
export async function saidByCli(...args: string[]) {
  let [out, error] = ['', '']
  const code = await runPocCli(args, {
    write: (text) => {
      out += text
    },
    writeError: (text) => {
      error += text
    },
    signal: new AbortController().signal,
  })
  return { code, out, error }
}
