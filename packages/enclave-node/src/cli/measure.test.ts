import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measurementDigest } from '@sealpool/attest'
import { snpLaunchDigest } from '@sealpool/attest/measurement'
import { encodeHex } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configDigest, parseNodeConfig } from '../config/node-config.js'
import { settingsWith } from '../testing/settings.js'
import { measureNode } from './measure.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-measure-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const put = async (name: string, content: Uint8Array | string | object) => {
  const path = join(folder, name)
  const isText = typeof content === 'string' || content instanceof Uint8Array
  await writeFile(path, isText ? content : JSON.stringify(content))
  return path
}
const sha384 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

it('measures settings as the key set does, and a bundle as any other tool', async () => {
  const config = parseNodeConfig(settingsWith())
  const bundle = await put('bundle.tar', 'the bundle')
  expect(await measureNode({ config, bundle })).toEqual({
    config: configDigest(config),
    bundle: `sha256:${createHash('sha256').update('the bundle').digest('hex')}`,
  })
})

/** Debian's firmware; CI installs it. */
const firmware = '/usr/share/ovmf/OVMF.fd'
const withFirmware = existsSync(firmware)
if (!withFirmware) console.warn(`measure: ${firmware} is not there; launches of real firmware are skipped`)

/** The smallest program for EFI that has a digest: headers and one section. */
function efiProgram(): Buffer {
  const image = Buffer.alloc(0x600, 0x5a)
  image.fill(0, 0, 0x200)
  image.writeUInt32LE(0x80, 0x3c)
  image.write('PE', 0x80, 'latin1')
  image.writeUInt16LE(1, 0x86)
  image.writeUInt16LE(0xf0, 0x94)
  image.writeUInt16LE(0x20b, 0x98)
  image.writeUInt32LE(0x200, 0x98 + 60)
  image.writeUInt32LE(16, 0x98 + 108)
  image.writeUInt32LE(0x400, 0x98 + 0xf0 + 16)
  image.writeUInt32LE(0x200, 0x98 + 0xf0 + 20)
  return image
}

describe('a TDX guest', () => {
  const launch = {
    platform: 'tdx',
    firmware,
    kernel: 'kernel',
    initrd: 'initrd',
    commandLine: 'console=ttyS0',
    memoryBytes: 2 ** 31,
    pageOrder: 'single-pass',
    setupHeaderRestored: true,
  }
  const measured = async (change: object = {}) =>
    (await measureNode({ launch: await put('tdx.json', { ...launch, ...change }) })).launch

  it.skipIf(!withFirmware)('has the registers that follow from its files', async () => {
    await put('kernel', efiProgram())
    await put('initrd', 'the initrd')
    const given = await measured()
    // Written out a second time: each event extends a register of zeros by its digest.
    const line = Buffer.from('console=ttyS0 initrd=initrd\0', 'utf16le')
    const register = [sha384(line), sha384(Buffer.from('the initrd'))].reduce(
      (before, event) => sha384(before, event),
      Buffer.alloc(48),
    )
    expect(given).toMatchObject({ platform: 'tdx', rtmr2: encodeHex(register), rtmr0: null, rtmr3: null })
    // Without RTMR0 there is no number for the registry, and none is made up.
    expect(given?.registry).toBeNull()
    const digest = `0x${'ab'.repeat(48)}`
    const whole = await measured({ acpi: { loader: digest, rsdp: digest, tables: digest }, rtmr3: digest })
    if (whole?.platform !== 'tdx' || whole.rtmr0 === null || whole.rtmr3 === null)
      throw new Error('a register is missing')
    const { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 } = whole
    const all = [mrTd, rtmr0, rtmr1, rtmr2, rtmr3].map((hex) => Buffer.from(hex.slice(2), 'hex'))
    expect(whole.registry).toBe(`0x${createHash('sha256').update(Buffer.concat(all)).digest('hex')}`)
    expect(await measured({ commandLine: 'console=ttyS1' })).not.toEqual(given)
  })

  it('is refused when its files cannot be measured or are not there', async () => {
    await put('none', 'none')
    const none = { firmware: 'none', kernel: 'none', initrd: 'none' }
    await expect(measured(none)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(measured({ ...none, kernel: 'absent' })).rejects.toMatchObject({
      code: 'CONFIG_FILE_UNREADABLE',
    })
    await expect(measured({ colour: 'blue' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('colour'),
    })
    await expect(measured({ rtmr3: '0x00' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(measureNode({ launch: await put('tdx.json', '{') })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})

describe.skipIf(!withFirmware)('a SEV-SNP guest', () => {
  const launch = { platform: 'sev-snp', firmware, vcpus: 2, vcpu: 'EPYC-v4' }
  const measured = async (change: object = {}) =>
    (await measureNode({ launch: await put('snp.json', { ...launch, ...change }) })).launch

  it('has the launch digest of its files, and a number for the registry with its host data', async () => {
    const given = await measured()
    const measurement = encodeHex(
      snpLaunchDigest({ ovmf: Uint8Array.from(await readFile(firmware)), vcpus: 2, vcpu: 'EPYC-v4' }),
    )
    const hostData = `0x${'00'.repeat(32)}` as const
    expect(given).toEqual({
      platform: 'sev-snp',
      measurement,
      hostData,
      registry: measurementDigest({ measurement, hostData }),
    })
    for (const change of [{ vcpus: 3 }, { vcpu: 'EPYC-Milan' }, { features: '5' }, { vmm: 'ec2' }]) {
      expect(await measured(change)).not.toMatchObject({ measurement })
    }
    // This firmware does not measure a kernel: a guest that boots one would show the digest above whatever the kernel is.
    await put('image', 'the kernel')
    await expect(measured({ kernel: { image: 'image' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const other = await measured({ hostData: `0x${'01'.repeat(32)}` })
    expect(other).toMatchObject({ measurement })
    expect(other?.registry).not.toBe(given?.registry)
  })

  it('with a processor that nobody makes is refused', async () => {
    await expect(measured({ vcpu: 'toaster' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
