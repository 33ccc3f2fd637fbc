import { RefineError } from '../errors.js'

/** A file of an archive. */
export interface ArchiveEntry {
  /** Path inside the archive, `/` between parts. */
  readonly path: string
  /** Bytes when expanded, as declared; a stream that gives another number is refused. */
  readonly size: number
  /** The file's bytes. Of an archive that is read as a stream: once, and before the next file is asked for. */
  open(): AsyncIterable<Uint8Array>
}

const pathBytes = 1024

/**
 * An archive is refused.
 *
 * @param place - `archive`, or the number of an entry
 * @param message - why
 * @returns the error
 */
export function archiveFault(place: string, message: string): RefineError {
  return new RefineError('ARCHIVE_INVALID', place, message)
}

/**
 * Is this a path that may stand in an export? Relative, with `/`, without empty parts, `.`, `..`, drives, back slashes or control
 * characters.
 *
 * @param path - of a file, without a slash at its end
 * @returns what is wrong, or undefined
 */
export function pathFault(path: string): string | undefined {
  if (path === '' || path.length > pathBytes) return 'A path is empty or too long'
  if (path.startsWith('/') || /^[a-zA-Z]:/.test(path)) return 'A path is absolute'
  // macOS ends the name of a folder's icon with a carriage return: it is left out (see `isSystemFile`), and no reason to refuse the others.
  if (/[\\\p{Cc}]/u.test(path.replace(/(?<=^|\/)Icon\r$/, 'Icon')))
    return 'A path holds a back slash or a control character'
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return 'A path leaves its folder or has an empty part'
  }
  return undefined
}

/** The paths of an archive so far. */
export interface EntryPaths {
  /**
   * Takes the next one.
   *
   * @param path - without fault
   * @param kind - what stands there
   * @param place - of the entry
   * @throws RefineError with `ARCHIVE_INVALID` for a path that is there (also in other case) or is a file and a folder, `LIMIT_EXCEEDED`
   */
  add(path: string, kind: 'file' | 'folder', place: string): void
}

/**
 * Holds the paths of one archive against each other.
 *
 * @param limits - `depth`: parts of a path
 * @returns see {@link EntryPaths}
 */
export function createEntryPaths(limits: { readonly depth: number }): EntryPaths {
  const files = new Set<string>()
  const folders = new Set<string>()
  return {
    add(path, kind, place) {
      const folded = path.normalize('NFC').toLowerCase()
      if (kind === 'file' && files.has(folded)) throw archiveFault(place, 'Two files have one path')
      const parts = folded.split('/')
      if (parts.length > limits.depth)
        throw new RefineError('LIMIT_EXCEEDED', place, 'A path has too many parts')
      const above = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'))
      for (const folder of kind === 'folder' ? [...above, folded] : above) {
        if (files.has(folder)) throw archiveFault(place, 'A file is a folder as well')
        folders.add(folder)
      }
      if (kind === 'folder') return
      if (folders.has(folded)) throw archiveFault(place, 'A file is a folder as well')
      files.add(folded)
    },
  }
}
