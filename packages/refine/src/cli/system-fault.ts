/** What to do about the faults of the system that a job meets; of all of them the job goes on where it was. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room and run the same command again',
  EDQUOT: 'there is no more room for you on the disk; make room and run the same command again',
  EFBIG: 'a file became larger than the system allows; split the exports, or raise the limit (ulimit -f)',
  EROFS: 'the disk takes nothing; name another --out',
  EACCES: 'a file or folder is not yours to read or write; mend that and run the same command again',
  EPERM: 'a file or folder is not yours to read or write; mend that and run the same command again',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  EIO: 'the disk cannot be read or written',
}

/**
 * A fault that is none of this package's, as a person can use it. Paths of the system's messages are left out.
 *
 * @param error - what was thrown
 * @returns its code with a way out, where it has one
 */
export function systemFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return 'the command failed'
  return Object.hasOwn(remedies, code) ? `${code}: ${remedies[code]}` : code
}
