/** A static program for Linux that answers the same to everything, written out by its bytes so that tests need no compiler. */
const base = 0x40_0000n
const fileHeader = 64
const segmentHeader = 56
const textAt = fileHeader + 2 * segmentHeader

const little = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => Number((BigInt(value) >> BigInt(8 * index)) & 255n))

/** `write(1, text, length)`, `exit_group(0)`; both addresses and lengths are below 2^32. */
const instructions = {
  x64: (address: bigint, length: number): number[] => [
    ...[0xbf, ...little(1, 4)], // mov edi, 1
    ...[0xbe, ...little(address, 4)], // mov esi, address
    ...[0xba, ...little(length, 4)], // mov edx, length
    ...[0xb8, ...little(1, 4), 0x0f, 0x05], // mov eax, 1; syscall
    ...[0x31, 0xff, 0xb8, ...little(231, 4), 0x0f, 0x05], // xor edi, edi; mov eax, 231; syscall
  ],
  arm64: (address: bigint, length: number): number[] =>
    [
      0xd280_0020, // mov x0, 1
      0xd280_0001 | (Number(address & 0xffffn) << 5), // movz x1, low half
      0xf2a0_0001 | (Number(address >> 16n) << 5), // movk x1, high half
      0xd280_0002 | (length << 5), // movz x2, length
      0xd280_0808, // mov x8, 64
      0xd400_0001, // svc 0
      0xd280_0000, // mov x0, 0
      0xd280_0bc8, // mov x8, 94
      0xd400_0001, // svc 0
    ].flatMap((word) => little(word >>> 0, 4)),
}

/** @param answer ASCII JSON text @returns a program that answers it, for the machine that the tests run on */
export function nativeAnswer(answer: string): Uint8Array {
  const machine = process.arch === 'arm64' ? 'arm64' : 'x64'
  const text = [...new TextEncoder().encode(answer)]
  // Instructions stand at whole words.
  const codeAt = textAt + Math.ceil(text.length / 8) * 8
  const code = instructions[machine](base + BigInt(textAt), text.length)
  const size = codeAt + code.length
  const segment = (type: number, flags: number, address: bigint, bytes: number): number[] => [
    ...[
      ...little(type, 4),
      ...little(flags, 4),
      ...little(0, 8),
      ...little(address, 8),
      ...little(address, 8),
    ],
    ...[...little(bytes, 8), ...little(bytes, 8), ...little(0x1_0000, 8)],
  ]
  return Uint8Array.from([
    // 64 bits, little-endian, version 1; an executable with two segments.
    ...[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...little(0, 9)],
    ...[...little(2, 2), ...little(machine === 'x64' ? 62 : 183, 2), ...little(1, 4)],
    ...[...little(base + BigInt(codeAt), 8), ...little(fileHeader, 8), ...little(0, 8), ...little(0, 4)],
    ...[...little(fileHeader, 2), ...little(segmentHeader, 2), ...little(2, 2), ...little(0, 6)],
    // All of it is read and executed; the stack is not executable.
    ...segment(1, 5, base, size),
    ...segment(0x6474_e551, 6, 0n, 0),
    ...text,
    ...new Array<number>(codeAt - textAt - text.length).fill(0),
    ...code,
  ])
}
