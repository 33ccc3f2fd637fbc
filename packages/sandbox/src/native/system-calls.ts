import type { Machine } from './machine.js'

/**
 * Numbers of the system calls that the filter and the launcher name: `arch/x86/entry/syscalls/syscall_64.tbl` and, for AArch64,
 * `include/uapi/asm-generic/unistd.h` of Linux. What a machine does not have is null.
 */
const numbers = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  fstat: [5, 80],
  poll: [7, null],
  lseek: [8, 62],
  mmap: [9, 222],
  mprotect: [10, 226],
  munmap: [11, 215],
  brk: [12, 214],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  ioctl: [16, 29],
  readv: [19, 65],
  writev: [20, 66],
  mremap: [25, 216],
  madvise: [28, 233],
  execve: [59, 221],
  exit: [60, 93],
  uname: [63, 160],
  fcntl: [72, 25],
  readlink: [89, null],
  getppid: [110, 173],
  sigaltstack: [131, 132],
  prctl: [157, 167],
  arch_prctl: [158, null],
  futex: [202, 98],
  set_tid_address: [218, 96],
  clock_gettime: [228, 113],
  exit_group: [231, 94],
  newfstatat: [262, 79],
  readlinkat: [267, 78],
  ppoll: [271, 73],
  set_robust_list: [273, 99],
  prlimit64: [302, 261],
  seccomp: [317, 277],
  getrandom: [318, 278],
  rseq: [334, 293],
  close_range: [436, 436],
} as const satisfies Readonly<Record<string, readonly [number | null, number | null]>>

/** A system call by its name. */
export type SystemCall = keyof typeof numbers

/**
 * The number of a system call.
 *
 * @param machine - whose
 * @param call - its name
 * @returns the number, or null where the machine has no such call
 */
export function numberOf(machine: Machine, call: SystemCall): number | null {
  return numbers[call][machine === 'x86-64' ? 0 : 1]
}
