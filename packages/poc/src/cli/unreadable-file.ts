/** What a program reads of a file that cannot be read, in place of a verdict. */
export interface FileFault {
  /** Stable reason. */
  readonly code: 'FILE_UNREADABLE'
  /** What is wrong and what to do about it. */
  readonly message: string
}

/** What to do about what the system says of a file. */
const remedies: Readonly<Record<string, string>> = {
  EACCES: 'it is not yours to read; change its permissions, or leave it out',
  EPERM: 'it is not yours to read; change its permissions, or leave it out',
  ENOENT: 'it is no longer there; run the command again when nothing moves files',
  EISDIR: 'it is a folder by now; run the command again when nothing moves files',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine; run the command again when fewer are',
  EIO: 'the disk cannot read it; fetch the export again',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than a contribution may be; split the export',
}

/** A file or folder of an export that cannot be read: the others can. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
  /** Stable reason. */
  readonly code = 'FILE_UNREADABLE'
  /** The file or folder. */
  readonly path: string
  /** What the system says and what to do about it, without the path. */
  readonly remedy: string

  /**
   * @param path the file or folder
   * @param cause what the system threw
   */
  constructor(path: string, cause: unknown) {
    const said = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    const remedy = `${said}: ${Object.hasOwn(remedies, said) ? remedies[said] : 'mend that, or leave it out'}`
    super(`${path} cannot be read (${remedy})`, { cause })
    this.path = path
    this.remedy = remedy
  }
}

/**
 * What programs are told of it.
 *
 * @param error the file or folder
 * @returns code and message; the place stands beside it
 */
export function faultOf(error: UnreadableFile): FileFault {
  return { code: error.code, message: `The file cannot be read (${error.remedy})` }
}
