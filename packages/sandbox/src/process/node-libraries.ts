import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Asks without the network: a report would look up the name of every open connection. */
const question = `const { report } = process
if (report) report.excludeNetwork = true
process.stdout.write(JSON.stringify(report ? report.getReport().sharedObjects : []))`
const PATIENCE_MS = 10_000

const known = new Map<string, Promise<readonly string[]>>()

/**
 * Paths of the shared libraries that a node program loads by itself: asked of a bare one, for this process may have loaded native addons and
 * whatever these need, which a child has no use for and must not see. Asked once in a process.
 *
 * @param program - node
 * @returns the paths; none where the platform does not tell
 * @throws {Error} when it cannot be started, or says something else; it is asked again with the next call
 */
export function nodeLibraries(program = process.execPath): Promise<readonly string[]> {
  const asked = known.get(program) ?? saidByABareNode(program).then(librariesIn)
  known.set(program, asked)
  asked.catch(() => known.delete(program))
  return asked
}

function saidByABareNode(program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: {}, cwd: '/', timeout: PATIENCE_MS }
    execFile(program, ['-e', question], options, (error, said) => {
      if (error === null) resolve(said)
      else reject(error)
    })
  })
}

function librariesIn(said: string): string[] {
  const paths: unknown = JSON.parse(said)
  if (!Array.isArray(paths)) throw new TypeError('node did not list its shared libraries')
  return paths.filter(
    (path): path is string => typeof path === 'string' && /\.so(\.|$)/.test(path) && existsSync(path),
  )
}
