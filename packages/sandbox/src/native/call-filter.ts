import { assembleFilter, type FilterRule } from './assemble-filter.js'
import type { Machine } from './machine.js'
import { numberOf, type SystemCall } from './system-calls.js'

const PROT_READ_WRITE = 0x3
const MAP_ANONYMOUS = 0x20
// MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_NORESERVE, MAP_POPULATE, MAP_STACK, MAP_FIXED_NOREPLACE
const MAP_FLAGS = 0x2 | 0x10 | MAP_ANONYMOUS | 0x4000 | 0x8000 | 0x2_0000 | 0x10_0000
const MREMAP_MAYMOVE = 0x1
const MADV_DONTNEED = 4
const MADV_FREE = 8
const ARCH_SET_FS = 0x1002
/** Above it are the statuses that only a signal gives. */
const HIGHEST_STATUS = 0x7f

type Rules = Readonly<Partial<Record<SystemCall, Omit<FilterRule, 'number' | 'action'>>>>

/**
 * The calls that reach the kernel. Together they let a program compute on what it reads from its input, and write its answer. No memory
 * is ever executable but what the approved program's own file holds: none can be mapped so, made so, or moved to where the launcher was.
 */
function allowed(launcher: bigint): Rules {
  return {
    // Only what was open before: nothing opens anything.
    read: { when: [{ argument: 0, is: [0] }] },
    readv: { when: [{ argument: 0, is: [0] }] },
    write: { when: [{ argument: 0, is: [1, 2] }] },
    writev: { when: [{ argument: 0, is: [1, 2] }] },
    close: {},
    lseek: {},
    poll: {},
    ppoll: {},
    brk: {},
    mmap: {
      when: [
        { argument: 2, within: PROT_READ_WRITE },
        { argument: 3, within: MAP_FLAGS },
        { argument: 3, has: MAP_ANONYMOUS },
      ],
    },
    mprotect: { when: [{ argument: 2, within: PROT_READ_WRITE }] },
    mremap: { when: [{ argument: 3, within: MREMAP_MAYMOVE }] },
    munmap: {},
    // The rest of what it takes concerns pages shared with other processes, and hardware.
    madvise: { when: [{ argument: 2, is: [MADV_DONTNEED, MADV_FREE] }], otherwise: 'refuse' },
    rt_sigaction: {},
    rt_sigprocmask: {},
    rt_sigreturn: {},
    sigaltstack: {},
    set_tid_address: {},
    // The processor's own and those at the program's start cannot be kept from it, and what wants them is ended without.
    getrandom: {},
    arch_prctl: { when: [{ argument: 0, is: [ARCH_SET_FS] }], otherwise: 'refuse' },
    // Whatever has another status was ended by a signal; so a program cannot claim to have been killed from outside.
    exit: { when: [{ argument: 0, within: HIGHEST_STATUS }] },
    exit_group: { when: [{ argument: 0, within: HIGHEST_STATUS }] },
    // The launcher's own call, which starts the program. Where its instruction was there is nothing any more.
    execve: { when: [{ from: launcher }] },
  }
}

/** What the start of C's and Rust's libraries asks for and does without. The kernel does not run these: the filter answers. */
const refused: readonly SystemCall[] = [
  'clock_gettime',
  'fcntl',
  'fstat',
  'futex',
  'ioctl',
  'newfstatat',
  'prlimit64',
  'readlink',
  'readlinkat',
  'rseq',
  'set_robust_list',
  'uname',
]

/**
 * The filter that a program runs under. What is neither allowed nor refused ends the program.
 *
 * @param machine - whose calls
 * @param launcher - address of the launcher, a multiple of 64 KiB; no part of the program may lie in the 64 KiB from there
 * @returns the filter as the kernel takes it
 */
export function callFilter(machine: Machine, launcher: bigint): Uint8Array {
  const rules: FilterRule[] = []
  const add = (call: SystemCall, rule: Omit<FilterRule, 'number'>): void => {
    const number = numberOf(machine, call)
    if (number !== null) rules.push({ ...rule, number })
  }
  const allow = allowed(launcher)
  for (const call of Object.keys(allow) as (keyof typeof allow)[]) {
    add(call, { action: 'allow', ...allow[call] })
  }
  for (const call of refused) add(call, { action: 'refuse' })
  return assembleFilter(machine, rules)
}
