import { readFileSync, realpathSync } from 'node:fs'

/** File systems that live in memory, which a confidential machine encrypts. */
const inMemory = new Set(['tmpfs', 'ramfs'])

/**
 * Whether what is written to a folder stays in memory or is encrypted by the kernel (dm-crypt). On systems that do not say
 * so (no `/proc/self/mountinfo`), nothing is.
 *
 * @param folder path of the folder
 */
export function isGuardedFolder(folder: string): boolean {
  try {
    const mount = mountOf(realpathSync(folder), readFileSync('/proc/self/mountinfo', 'utf8'))
    if (mount === null) return false
    return inMemory.has(mount.type) || isCrypt(mount.device)
  } catch {
    return false
  }
}

/** The mount that a path lies on: the longest mount point that is its beginning, the last of equal ones. */
export function mountOf(
  path: string,
  mountinfo: string,
): { readonly device: string; readonly type: string } | null {
  let found: { readonly point: string; readonly device: string; readonly type: string } | null = null
  for (const line of mountinfo.split('\n')) {
    // proc(5): id, parent, device, root, mount point, options, optional fields, "-", type, source, options.
    const [before = '', after = ''] = line.split(' - ')
    const [, , device, , escaped] = before.split(' ')
    const type = after.split(' ')[0]
    if (device === undefined || escaped === undefined || type === undefined) continue
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const inside = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (inside && (found === null || point.length >= found.point.length)) found = { point, device, type }
  }
  return found
}

/** Device mapper says what made a device. A volume on top of an encrypted one is not recognised. */
function isCrypt(device: string): boolean {
  try {
    return readFileSync(`/sys/dev/block/${device}/dm/uuid`, 'utf8').startsWith('CRYPT-')
  } catch {
    return false
  }
}
