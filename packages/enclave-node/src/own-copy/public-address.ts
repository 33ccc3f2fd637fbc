/**
 * Which addresses belong to the public internet: the only ones that a stranger may have the node ask.
 * @module
 */
import { BlockList, isIP } from 'node:net'

/** Of IPv4, what IANA's registry of special addresses takes out of the public internet. */
const special4 = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special4.addSubnet(net, bits, 'ipv4')

/** Of IPv6, the block from which public addresses are given. */
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')
/** And what is special in it: among others 6to4 and Teredo, which carry IPv4 addresses inside. */
const special6 = new BlockList()
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special6.addSubnet(net, bits, 'ipv6')

/**
 * Whether an address is one of the public internet.
 * @param address as text
 * @returns false for all else: private and local networks, this machine, special uses, and what is no address
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special4.check(address, 'ipv4')
    case 6:
      return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')
    default:
      return false
  }
}
