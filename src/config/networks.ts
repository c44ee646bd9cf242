import { isIP, SocketAddress } from 'node:net';

/** ::ffff:0:0/96 holds the IPv4 addresses in IPv6 form. */
const MAPPED_PREFIX_BITS = 96;

/** Why a text is no network that requests' addresses can be held against, with the remedy; null where it is one. */
export function networkProblem(text: string): string | null {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  // A zone (fe80::1%eth0) means something on one machine only.
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return 'It takes an address, or an address and a prefix length: 10.0.0.0/8, 192.0.2.7, fd00::/8.';
  const bits = family === 4 ? 32 : 128;
  const length = slash === -1 ? bits : prefixLength(text.slice(slash + 1));
  if (length > bits) return `An IPv${family} network takes a prefix length from 0 to ${bits} behind the slash.`;
  if (length < MAPPED_PREFIX_BITS && family === 6 && isMapped(address)) {
    return `IPv4 addresses in IPv6 form begin at /${MAPPED_PREFIX_BITS}. Write the IPv4 network itself, such as 10.0.0.0/8.`;
  }
  return null;
}

/** Infinity for what is no number. */
function prefixLength(text: string): number {
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

function isMapped(address: string): boolean {
  const shortest = new SocketAddress({ address, family: 'ipv6' }).address;
  return shortest.startsWith('::ffff:') && shortest.includes('.');
}
