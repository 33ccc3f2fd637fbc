/** A small bzImage with an EFI stub: a setup header and a PE header with two sections. Tests change one thing at a time. */
export function testKernel(
  change?: (view: DataView, image: Uint8Array) => void,
  length = 0x3000,
): Uint8Array {
  const image = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 6)) & 0xff)
  const view = new DataView(image.buffer)
  image.fill(0, 0x40, 0x400)
  view.setUint32(0x3c, 0x40, true)
  view.setUint32(0x40, 0x4550, true)
  view.setUint16(0x46, 2, true) // sections
  view.setUint16(0x54, 0xa0, true) // size of the optional header
  const optional = 0x58
  view.setUint16(optional, 0x20b, true)
  view.setUint32(optional + 60, 0x400, true) // size of headers
  view.setUint32(optional + 64, 0xdeadbeef, true) // checksum
  view.setUint32(optional + 108, 6, true) // data directories
  const section = (i: number, start: number, size: number) => {
    const at = optional + 0xa0 + 40 * i
    view.setUint32(at + 16, size, true)
    view.setUint32(at + 20, start, true)
  }
  section(0, 0x1000, 0x2000)
  section(1, 0x400, 0xc00)
  view.setUint32(0x202, 0x53726448, true) // HdrS
  view.setUint16(0x206, 0x20f, true)
  view.setUint8(0x210, 0)
  view.setUint8(0x211, 1)
  view.setUint32(0x22c, 0x7fffffff, true)
  view.setUint16(0x236, 0x40, true)
  change?.(view, image)
  return image
}
