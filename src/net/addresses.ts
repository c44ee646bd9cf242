import { SocketAddress } from 'node:net';

const MAPPED = '::ffff:';

/**
 * "::ffff:192.0.2.7", as a socket for both families names an IPv4 peer, → "192.0.2.7". `::ffff:` also begins addresses that have
 * groups of their own behind it: those stay.
 */
export function withoutMapping(ip: string): string {
  return ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip;
}

/** The shortest form of an IPv6 address, known to be one. */
export function canonicalV6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
