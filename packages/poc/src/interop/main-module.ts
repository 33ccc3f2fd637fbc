import * as z from 'zod'
import { PocError } from '../errors.js'

/** The modules of a Python proof, and the one that is run. */
interface PythonModules {
  readonly main: string
  readonly files: Readonly<Record<string, unknown>>
}

/**
 * Refuses modules without the one that is to be run: as `python -m my_proof` finds it, a file `my_proof.py` or a package's `my_proof/__main__.py`.
 *
 * @param modules `main` and the files by path
 * @param place what the refusal names
 * @throws PocError `CODE_INVALID`
 */
export function requireMainModule({ main, files }: PythonModules, place: string): void {
  const path = `${main}`.replaceAll('.', '/')
  const found = [`${path}/__main__.py`, `${path}.py`]
  if (found.some((one) => Object.hasOwn(files, one))) return
  throw new PocError(
    'CODE_INVALID',
    place,
    `the Python proof is to run ${JSON.stringify(main)}, but its files hold neither ${found.join(' nor ')}; name a module of theirs, without .py, as python -m does`,
  )
}

/**
 * Refuses a bundle that does not hold its own `main`: it would end without a result on whatever files it is given, and these would be blamed.
 *
 * @param code what the runtime of Pyodide takes; a script, which needs no `main`, is left alone
 * @throws PocError `CODE_INVALID`
 */
export function requireOwnMain(code: string): void {
  // Only so is it taken for a bundle.
  if (!code.startsWith('{')) return
  let given: unknown
  try {
    given = JSON.parse(code)
  } catch (cause) {
    throw notBundled(cause)
  }
  const bundle = z.object({ main: z.string(), files: z.record(z.string(), z.unknown()) }).safeParse(given)
  if (!bundle.success) throw notBundled(bundle.error)
  requireMainModule(bundle.data, 'proof.code')
}

function notBundled(cause: unknown): PocError {
  return new PocError(
    'CODE_INVALID',
    'proof.code',
    'the code is no bundle of Python modules with main and files; make it by bundlePythonProof',
    { cause },
  )
}
