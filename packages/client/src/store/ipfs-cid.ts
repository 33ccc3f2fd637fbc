import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { Digest } from '@sealpool/crypto'

/** Bytes of one leaf: Kubo's default chunker `size-262144`. */
export const ipfsChunkBytes = 262_144
/** Links of one inner block: Kubo's default balanced layout. */
const linksPerBlock = 174

const rawCodec = 0x55
const dagPbCodec = 0x70

/** A block of the tree, as its parent names it. */
interface Child {
  readonly cid: Uint8Array
  /** Bytes of the file below it. */
  readonly fileSize: number
  /** Bytes of the blocks below it and itself (dag-pb `Tsize`). */
  readonly treeSize: number
}

/**
 * The CID that Kubo gives a file (`ipfs add --cid-version=1`, default chunker): UnixFS, 256 KiB chunks as raw leaves,
 * balanced tree of 174 links, SHA-256, base32. Sources: UnixFS and DAG-PB specifications (specs.ipfs.tech, ipld.io).
 *
 * @param bytes the file
 * @returns CIDv1; `bafkrei…` up to one chunk, `bafybei…` above
 */
export function ipfsCid(bytes: Uint8Array): string {
  let level: Child[] = []
  for (let start = 0; start === 0 || start < bytes.length; start += ipfsChunkBytes) {
    const chunk = bytes.subarray(start, start + ipfsChunkBytes)
    level.push({ cid: cidBytes(rawCodec, sha256(chunk)), fileSize: chunk.length, treeSize: chunk.length })
  }
  while (level.length > 1) {
    const parents: Child[] = []
    for (let start = 0; start < level.length; start += linksPerBlock) {
      parents.push(parentOf(level.slice(start, start + linksPerBlock)))
    }
    level = parents
  }
  const [root] = level
  return cidText(root?.cid ?? cidBytes(rawCodec, sha256(bytes)))
}

/**
 * The CID of a file of at most one chunk: its digest is all that it takes.
 *
 * @param digest SHA-256 of the file
 */
export function ipfsCidOfChunk(digest: Digest): string {
  const hex = digest.slice('sha256:'.length)
  return cidText(
    cidBytes(
      rawCodec,
      Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
    ),
  )
}

function parentOf(children: readonly Child[]): Child {
  const links = children.map(({ cid, treeSize }) => {
    // PBLink: Hash (1), Name (2, empty), Tsize (3).
    const link = concatBytes(field(1, cid), Uint8Array.of(0x12, 0), Uint8Array.of(0x18), varint(treeSize))
    return field(2, link)
  })
  const fileSize = children.reduce((sum, child) => sum + child.fileSize, 0)
  // UnixFS: Type (1) = File, filesize (3), blocksizes (4).
  const data = concatBytes(
    Uint8Array.of(0x08, 2, 0x18),
    varint(fileSize),
    ...children.map((child) => concatBytes(Uint8Array.of(0x20), varint(child.fileSize))),
  )
  // DAG-PB is canonical with its links before its data.
  const block = concatBytes(...links, field(1, data))
  const treeSize = children.reduce((sum, child) => sum + child.treeSize, block.length)
  return { cid: cidBytes(dagPbCodec, sha256(block)), fileSize, treeSize }
}

/** A length-delimited protobuf field. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of((number << 3) | 2), varint(bytes.length), bytes)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.from([...bytes, rest])
}

/** Version 1, codec, SHA-256 multihash. */
function cidBytes(codec: number, hash: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(1, codec, 0x12, 0x20), hash)
}

/** Multibase `b`: RFC 4648 base32, lower case, without padding. */
function cidText(cid: Uint8Array): string {
  let text = 'b'
  let value = 0
  let bits = 0
  for (const byte of cid) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += base32[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + base32[(value << (5 - bits)) & 31]
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567'
