import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SandboxError } from '../errors.js'
import type { Command } from './child.js'
import type { EngineName } from './engine-name.js'
import { nodeLibraries } from './node-libraries.js'

const APP = '/app/node_modules'
const NODE = '/app/node'

/**
 * Command lines that start the worker under bubblewrap, strictest first. The child sees its own files alone: the node
 * binary, the shared libraries that it loads by itself, this package and QuickJS, all read-only, on an empty read-only
 * root without /proc, /dev or /tmp; own user, process, network, IPC, UTS and cgroup namespaces; no capability.
 *
 * @param worker path of the built worker
 * @param nodeArgs flags for node
 * @param engine what runs in the child; the files of others stay outside
 * @returns the command with its own user namespace, then the one without (kernels that forbid them)
 * @throws {@link SandboxError} `RUNTIME_UNAVAILABLE` when files of a package are not there; Error when node cannot be started
 */
export async function bubblewrapCommands(
  worker: string,
  nodeArgs: readonly string[],
  engine: EngineName,
): Promise<Command[]> {
  const here = packageRoot(worker, '@sealpool/sandbox')
  const files = [
    ...['--ro-bind', process.execPath, NODE],
    ...(await nodeLibraries()).flatMap((path) => ['--ro-bind', path, path]),
    ...['--ro-bind', join(here, 'dist'), join(APP, '@sealpool/sandbox/dist')],
    ...['--ro-bind', join(here, 'package.json'), join(APP, '@sealpool/sandbox/package.json')],
    ...[...packagesOf(worker, engine)].flatMap(([name, root]) => ['--ro-bind', root, join(APP, name)]),
  ]
  const inside = join(APP, '@sealpool/sandbox', worker.slice(here.length))
  const run = ['--remount-ro', '/', '--chdir', '/', '--', NODE, ...nodeArgs, inside, `--engine=${engine}`]
  return bubblewrapWalls().map((walls) => ({ program: 'bwrap', args: [...walls, ...files, ...run] }))
}

/**
 * The options that keep whatever is started from the machine.
 *
 * @returns with its own user namespace, then without (kernels that forbid them)
 */
export function bubblewrapWalls(): string[][] {
  const walls = ['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv']
  const ownUser = ['--unshare-user', '--uid', '65534', '--gid', '65534', '--disable-userns']
  return [[...walls, ...ownUser], walls]
}

/** The packages that an engine needs, as name and real folder. */
function packagesOf(worker: string, engine: EngineName): Map<string, string> {
  if (engine === 'webassembly') return new Map()
  if (engine === 'pyodide') {
    // Alone: what it depends on are types and a client for sockets, which are never loaded.
    return new Map([['pyodide', packageRoot(createRequire(worker).resolve('pyodide'), 'pyodide')]])
  }
  return packageClosure(worker, '@noble/hashes', packageClosure(worker, 'quickjs-emscripten'))
}

/** A package and all it depends on, as name and real folder, resolved as the worker would. */
function packageClosure(from: string, name: string, found = new Map<string, string>()): Map<string, string> {
  if (found.has(name)) return found
  const root = packageRoot(createRequire(from).resolve(name), name)
  found.set(name, root)
  const manifest = join(root, 'package.json')
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const dependency of Object.keys(dependencies)) packageClosure(manifest, dependency, found)
  return found
}

/** The folder whose manifest has this name, above a file; builds often hold nameless manifests further down. */
function packageRoot(file: string, name: string): string {
  for (let folder = dirname(realpathSync(file)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) {
      const found: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
      if (typeof found === 'object' && found !== null && 'name' in found && found.name === name) return folder
    }
    if (folder === dirname(folder)) {
      throw new SandboxError(
        'RUNTIME_UNAVAILABLE',
        name,
        'the files of this package were not found; install it',
      )
    }
  }
}
