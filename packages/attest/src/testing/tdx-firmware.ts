/** A small firmware file with TDX metadata, as OVMF has them at the end; tests change one thing at a time. */
export interface TestSection {
  dataOffset: number
  dataSize: number
  gpa: bigint
  memorySize: bigint
  type: number
  attributes: number
}

export const testSections: readonly TestSection[] = [
  { dataOffset: 0x2000, dataSize: 0x6000, gpa: 0xffff_a000n, memorySize: 0x6000n, type: 0, attributes: 1 },
  { dataOffset: 0, dataSize: 0x2000, gpa: 0xffff_8000n, memorySize: 0x2000n, type: 1, attributes: 0 },
  { dataOffset: 0, dataSize: 0, gpa: 0x81_0000n, memorySize: 0x1_0000n, type: 3, attributes: 0 },
  { dataOffset: 0, dataSize: 0, gpa: 0x80_9000n, memorySize: 0x2000n, type: 2, attributes: 0 },
  { dataOffset: 0, dataSize: 0, gpa: 0x90_0000n, memorySize: 0x3000n, type: 4, attributes: 2 },
]

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/**
 * @param options.sections as the metadata name them
 * @param options.change last word on the finished bytes
 * @returns 32 KiB
 */
export function testFirmware(
  options: {
    readonly sections?: readonly TestSection[]
    readonly change?: (image: Uint8Array, view: DataView, metadata: number) => void
  } = {},
): Uint8Array {
  const { sections = testSections, change } = options
  const image = Uint8Array.from({ length: 0x8000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
  const view = new DataView(image.buffer)
  const metadata = 0x7800
  image.set(new TextEncoder().encode('TDVF'), metadata)
  view.setUint32(metadata + 4, 16 + 32 * sections.length, true)
  view.setUint32(metadata + 8, 1, true)
  view.setUint32(metadata + 12, sections.length, true)
  for (const [i, section] of sections.entries()) {
    const at = metadata + 16 + 32 * i
    view.setUint32(at, section.dataOffset, true)
    view.setUint32(at + 4, section.dataSize, true)
    view.setBigUint64(at + 8, section.gpa, true)
    view.setBigUint64(at + 16, section.memorySize, true)
    view.setUint32(at + 24, section.type, true)
    view.setUint32(at + 28, section.attributes, true)
  }
  const end = image.length - 32
  image.set(hex('de82b596b21ff745baeaa366c55a082d'), end - 16)
  view.setUint16(end - 18, 18 + 22, true)
  image.set(hex('35657ae44a989847865e4685a7bf8ec2'), end - 34)
  view.setUint16(end - 36, 22, true)
  view.setUint32(end - 40, image.length - metadata, true)
  change?.(image, view, metadata)
  return image
}
