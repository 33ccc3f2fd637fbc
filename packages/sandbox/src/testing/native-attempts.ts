import type { Argument, CallName, TestStep } from './native-program.js'
import { here } from './native-program.js'

/** One named attempt of a native program to reach something beyond its input and output. */
export interface NativeAttempt {
  readonly name: string
  readonly steps: readonly TestStep[]
  /** What the filter does: it ends the program, or says that there is no such call. */
  readonly met: 'ended' | 'refused'
  /** Whether a process without walls succeeds everywhere, and does no harm: the tests try it, so that no attempt is harmless by mistake. */
  readonly works: boolean
}

const x86 = here === 'x86-64'
const call = (name: CallName, ...values: readonly Argument[]): TestStep => ({ do: name, with: values })

type Options = Partial<Pick<NativeAttempt, 'met' | 'works'>>
const tries = (
  name: string,
  steps: TestStep | readonly TestStep[],
  options: Options = {},
): NativeAttempt => ({
  name,
  steps: Array.isArray(steps) ? (steps as readonly TestStep[]) : [steps as TestStep],
  met: options.met ?? 'ended',
  works: options.works ?? false,
})
const works: Options = { works: true }
const refused: Options = { met: 'refused', works: true }

const SOCKET = [41, 198] as const
const OPENAT = [257, 56] as const
const HERE = -100

/** Calls and instructions by other doors, which only x86-64 has. */
const otherDoors: readonly NativeAttempt[] = [
  // mov eax, 20; int 0x80
  tries('getpid by the door of 32 bits', { bytes: [0xb8, 20, 0, 0, 0, 0xcd, 0x80] }),
  tries('getpid of x32', call([0x4000_0000 + 39, 0])),
  tries('ptrace of x32', call([0x4000_0000 + 521, 0], 0, 0, 0, 0)),
  // xor edi, edi; xor esi, esi; mov rax, the page of old kernels; call rax
  tries('the clock in the vsyscall page', {
    bytes: [0x31, 0xff, 0x31, 0xf6, 0x48, 0xb8, 0, 0, 0x60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xd0],
  }),
  tries('rdtsc', { bytes: [0x0f, 0x31, 0x31, 0xc0] }, works),
  tries('rdtscp', { bytes: [0x0f, 0x01, 0xf9, 0x31, 0xc0] }, works),
  tries('fork', call([57, 0]), works),
  tries('vfork', call([58, 0])),
  tries('open', call([2, 0], { text: '/etc/passwd' }, 0), works),
  tries('modify_ldt', call([154, 0], 0, 'scratch', 8)),
  tries('iopl', call([172, 0], 0)),
  tries('ioperm', call([173, 0], 0, 1, 0)),
  tries('arch_prctl of the other segment', call('arch_prctl', 0x1001, 0), { met: 'refused', works: true }),
]

/**
 * Attempts that a native program must be ended for, or refused. Their arguments do no harm should one of them reach the kernel.
 */
export const nativeAttempts: readonly NativeAttempt[] = [
  // The network, and sockets of any kind.
  tries('a TCP socket', call(SOCKET, 2, 1, 0), works),
  tries('a UDP socket', call(SOCKET, 2, 2, 0), works),
  tries('an IPv6 socket', call(SOCKET, 10, 1, 0)),
  tries('a Unix socket', call(SOCKET, 1, 1, 0), works),
  tries('a netlink socket', call(SOCKET, 16, 3, 0)),
  tries('a packet socket', call(SOCKET, 17, 3, 0)),
  tries('a vsock', call(SOCKET, 40, 1, 0)),
  tries('a socket to the kernel’s ciphers', call(SOCKET, 38, 5, 0)),
  tries('a socketpair', call([53, 199], 1, 1, 0, 'scratch'), works),
  tries('a message with descriptors on its output', call([46, 211], 1, 'scratch', 0)),
  tries('a message with descriptors on its input', call([47, 212], 0, 'scratch', 0)),
  tries('connecting its output', call([42, 203], 1, 'scratch', 16)),
  // Files and folders.
  tries('a file of the machine', call(OPENAT, HERE, { text: '/etc/passwd' }, 0), works),
  tries('the program itself', call(OPENAT, HERE, { text: '/program' }, 0)),
  tries('its own environment', call(OPENAT, HERE, { text: '/proc/self/environ' }, 0)),
  tries('the memory of process 1', call(OPENAT, HERE, { text: '/proc/1/mem' }, 0)),
  tries('a device', call(OPENAT, HERE, { text: '/dev/null' }, 0), works),
  tries('openat2', call([437, 437], HERE, { text: '/' }, 'scratch', 24)),
  tries('open_by_handle_at', call([304, 265], HERE, 'scratch', 0)),
  tries('a link’s target', call('readlinkat', HERE, { text: '/proc/self/exe' }, 'scratch', 100), refused),
  tries('facts of a path', call([332, 291], HERE, { text: '/' }, 0, 0xfff, 'scratch'), works),
  tries('facts of its input', call('fstat', 0, 'scratch'), refused),
  tries('the working folder', call([79, 17], 'scratch', 4096), works),
  tries('another root', call([161, 51], { text: '/' })),
  tries('a mount', call([165, 40], 0, { text: '/' }, 0, 0, 0)),
  tries('a mount by the new calls', call([430, 430], { text: 'nothing' }, 0)),
  tries('pivot_root', call([155, 41], { text: '/' }, { text: '/' })),
  // Programs and memory that becomes one.
  tries('another program', call('execve', { text: '/bin/true' }, 0, 0), works),
  tries('itself once more', call('execve', { text: '/program' }, 0, 0)),
  tries('the launcher once more', call('execve', { text: '/launcher' }, 0, 0)),
  tries('a program without a name', [
    call([319, 279], { text: 'x' }, 0),
    { keep: true },
    call([322, 281], 'kept', { text: '' }, 0, 0, 0x1000),
  ]),
  tries('memory without a name', call([319, 279], { text: 'x' }, 0), works),
  tries('execveat', call([322, 281], HERE, { text: '/bin/true' }, 0, 0, 0), works),
  tries('memory that is executable', call('mmap', 0, 4096, 7, 0x22, -1, 0), works),
  tries('memory that is shared', call('mmap', 0, 4096, 3, 0x21, -1, 0), works),
  tries(
    'memory that was made executable',
    [call('mmap', 0, 4096, 3, 0x22, -1, 0), { keep: true }, call('mprotect', 'kept', 4096, 5)],
    works,
  ),
  tries('code that was made writable', call('mprotect', 0x40_0000, 4096, 7), works),
  tries(
    'memory moved to where the launcher was',
    call('mremap', 'scratch', 4096, 4096, 3, 0x30_0000_0000),
    works,
  ),
  tries('writing over its code', call('read', 0, 'code', 1), { met: 'refused' }),
  // Other processes.
  tries('a copy of itself', call([56, 220], 17, 0, 0, 0, 0), works),
  tries('clone3', call([435, 435], 'scratch', 64)),
  tries('a thread', call([56, 220], 0x1_0f00, 0, 0, 0, 0)),
  tries('ptrace', call([101, 117], 0, 0, 0, 0)),
  tries('reading another’s memory', call([310, 270], 1, 'scratch', 0, 'scratch', 0, 0)),
  tries('writing another’s memory', call([311, 271], 1, 'scratch', 0, 'scratch', 0, 0)),
  tries('a signal to all', call([62, 129], -1, 0)),
  tries('a signal to itself', call([62, 129], 0, 0), works),
  tries('a handle of process 1', call([434, 434], 1, 0)),
  tries('a descriptor of another', call([438, 438], 0, 0, 0)),
  tries('kcmp', call([312, 272], 1, 1, 0, 0, 0)),
  tries('its own number', call([39, 172]), works),
  tries('its parent’s number', call('getppid'), works),
  // Namespaces, rights, the filter itself.
  tries('unshare', call([272, 97], 0)),
  tries('setns', call([308, 268], 0, 0)),
  tries('prctl', call('prctl', 3, 0, 0, 0, 0), works),
  tries('the clock by prctl', call('prctl', 26, 1, 0, 0, 0)),
  tries('another filter', call('seccomp', 2, 0, 'scratch')),
  tries('personality', call([135, 92], 0xffff_ffff), works),
  tries('capset', call([126, 91], 'scratch', 0)),
  tries('setuid', call([105, 146], 65_534)),
  tries('a higher limit', call('prlimit64', 0, 7, 0, 'scratch'), refused),
  tries('setrlimit', call([160, 164], 4, 'scratch'), works),
  // Large parts of the kernel.
  tries('bpf', call([321, 280], 0, 'scratch', 0)),
  tries('perf_event_open', call([298, 241], 'scratch', 0, -1, -1, 0)),
  tries('io_uring', call([425, 425], 1, 'scratch')),
  tries('a key', call([250, 219], 0, -3, 0)),
  tries('userfaultfd', call([323, 282], 1)),
  tries('a kernel module', call([175, 105], 'scratch', 0, { text: '' })),
  tries('the kernel’s log', call([103, 116], 10, 0, 0)),
  tries('shared memory of System V', call([29, 194], 0, 4096, 0o1600)),
  tries('a message queue', call([240, 180], { text: 'x' }, 0, 0, 0)),
  tries('futex', call('futex', 'scratch', 1, 1, 0, 0, 0), refused),
  tries('mincore', call([27, 232], 0x40_0000, 4096, 'scratch'), works),
  tries('pages merged with others’', call('madvise', 0x60_0000, 4096, 12), { met: 'refused' }),
  tries('a pipe', call([293, 59], 'scratch', 0), works),
  tries('an event descriptor', call([290, 19], 0, 0), works),
  tries('epoll', call([291, 20], 0), works),
  tries('inotify', call([294, 26], 0)),
  // Descriptors that somebody left open, and the terminal.
  tries('a descriptor that was left open', call('close', 3), { met: 'refused' }),
  tries('reading from another descriptor', call('read', 3, 'scratch', 1)),
  tries('reading from its output', call('read', 1, 'scratch', 1)),
  tries('a copy of a descriptor', call([32, 23], 0), works),
  tries('a copy of a descriptor by fcntl', call('fcntl', 0, 0, 0), refused),
  tries('typing into the terminal', call('ioctl', 0, 0x5412, { text: 'x' }), { met: 'refused' }),
  tries('a status that claims a kill', { do: 'exit_group', with: [137] }),
  // Clocks, as far as they are calls.
  tries('clock_gettime', call('clock_gettime', 0, 'scratch'), refused),
  tries('gettimeofday', call([96, 169], 'scratch', 0), works),
  tries('sleeping', call([35, 101], 'scratch', 0), works),
  tries('a timer descriptor', call([283, 85], 0, 0), works),
  tries('the machine’s name', call('uname', 'scratch'), refused),
  ...(x86 ? otherDoors : []),
]
