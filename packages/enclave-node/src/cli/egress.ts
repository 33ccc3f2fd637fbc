/**
 * What `sealpool-node egress` prints: rules that close the network of a node but for what its settings name.
 * @module
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { EgressDestination } from '../config/egress.js'
import { NodeError } from '../errors.js'

/** A destination with the addresses that its name has now. */
export interface ResolvedDestination extends EgressDestination {
  readonly addresses: readonly string[]
}

/**
 * Looks the names up.
 * @param addressesOf gives the addresses of a name; the machine's own resolver when left out
 * @throws NodeError `CONFIG_INVALID` for a name without addresses: a rule without it would close what the node needs
 */
export async function resolveDestinations(
  destinations: readonly EgressDestination[],
  addressesOf: (host: string) => Promise<readonly string[]> = async (host) =>
    (await lookup(host, { all: true })).map(({ address }) => address),
): Promise<readonly ResolvedDestination[]> {
  return Promise.all(
    destinations.map(async (one) => {
      const addresses =
        isIP(one.host) !== 0 ? [one.host] : await addressesOf(one.host).catch((): readonly string[] => [])
      if (addresses.length === 0 || addresses.some((address) => isIP(address) === 0))
        throw new NodeError(
          'CONFIG_INVALID',
          one.why,
          `${one.host} has no address here; ask where it has one`,
        )
      return { ...one, addresses: [...new Set(addresses)].sort() }
    }),
  )
}

/** What rules are written as. */
export const egressForms = ['nft', 'systemd', 'hosts'] as const
/** What rules are written as. */
export type EgressForm = (typeof egressForms)[number]

/** @returns rules in a form, with a line's end */
export function egressText(form: EgressForm, destinations: readonly ResolvedDestination[]): string {
  return `${texts[form](destinations).join('\n')}\n`
}

const texts: Readonly<Record<EgressForm, (destinations: readonly ResolvedDestination[]) => string[]>> = {
  nft: (destinations) => [
    '#!/usr/sbin/nft -f',
    '# Everything that this machine, or network namespace, may send: answers to callers, and calls of what the node’s settings name.',
    '# No name is looked up by it: give the names their addresses in /etc/hosts (sealpool-node egress --form hosts).',
    'add table inet sealpool_egress',
    'delete table inet sealpool_egress',
    'table inet sealpool_egress {',
    '  chain output {',
    '    type filter hook output priority filter; policy drop;',
    '    oifname "lo" accept',
    '    ct state established,related accept',
    '    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept',
    ...destinations.flatMap(({ host, port, why, addresses }) =>
      addresses.map(
        (address) =>
          `    ${isIP(address) === 6 ? 'ip6' : 'ip'} daddr ${address} tcp dport ${port} accept # ${host}, ${why}`,
      ),
    ),
    '    counter reject with icmpx type admin-prohibited',
    '  }',
    '  chain forward {',
    '    type filter hook forward priority filter; policy drop;',
    '  }',
    '}',
  ],
  systemd: (destinations) => [
    '# /etc/systemd/system/sealpool-node.service.d/egress.conf: whom the unit may talk to, in either direction and on any port. Callers come through',
    '# a proxy on this machine, which ends TLS. A resolver on this machine is reached as well: stop it, and use /etc/hosts.',
    '[Service]',
    'IPAddressDeny=any',
    `IPAddressAllow=${['localhost', ...new Set(destinations.flatMap(({ addresses }) => addresses))].join(' ')}`,
  ],
  hosts: (destinations) => [
    ...new Set(
      destinations.flatMap(({ host, addresses }) =>
        isIP(host) === 0 ? addresses.map((address) => `${address} ${host}`) : [],
      ),
    ),
  ],
}
