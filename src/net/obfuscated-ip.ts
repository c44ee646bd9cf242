import { isIP, isIPv4 } from 'node:net';
import type { IpObfuscation } from '../model/datastream.ts';
import { canonicalV6, withoutMapping } from './addresses.ts';

export interface KeptAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

/**
 * What is kept of an IP address. In: dotted IPv4 or RFC 4291 IPv6 text; an IPv4 address in IPv6 form (`::ffff:192.0.2.7`) is
 * one of IPv4. Out: its shortest form, of `partial` with the last octet or the last 80 bits zeroed, of `full` zeros. Unparsable,
 * also where it has a zone (`fe80::1%eth0`), is null, never the input. Documented: the levels, and what partial zeroes. Chosen:
 * of a 6to4 address (`2002:` and an IPv4 address) the IPv4 address is treated too, whose last octet the first 48 bits hold.
 */
export function obfuscatedIp(text: string, level: IpObfuscation): KeptAddress | null {
  const family = text.length > ADDRESS_CHARACTERS_MAX || text.includes('%') ? 0 : isIP(text);
  if (family === 0) return null;
  if (family === 4) return { family: 4, address: keptV4(text, level) };
  const address = canonicalV6(text);
  const unmapped = withoutMapping(address);
  if (isIPv4(unmapped)) return { family: 4, address: keptV4(unmapped, level) };
  return { family: 6, address: keptV6(address, level) };
}

/** The longest form: an IPv4 address behind six groups of an IPv6 one. */
const ADDRESS_CHARACTERS_MAX = 45;
const SIX_TO_FOUR = '2002';

function keptV4(address: string, level: IpObfuscation): string {
  if (level === 'full') return '0.0.0.0';
  return level === 'none' ? address : `${address.slice(0, address.lastIndexOf('.'))}.0`;
}

function keptV6(address: string, level: IpObfuscation): string {
  if (level === 'full') return '::';
  if (level === 'none') return address;
  const [first, second, third] = firstGroups(address);
  const last = first === SIX_TO_FOUR ? withoutLastOctet(third) : third;
  return canonicalV6(`${first}:${second}:${last}::`);
}

/** 48 bits. Groups of zeros that are left out are put back: as many as the groups around them leave of eight. */
function firstGroups(address: string): readonly [string, string, string] {
  const gap = address.indexOf('::');
  const before = groupsOf(gap === -1 ? address : address.slice(0, gap));
  const after = gap === -1 ? [] : groupsOf(address.slice(gap + 2));
  // A dotted end stands for two groups.
  const zeros = gap === -1 ? 0 : GROUPS - before.length - after.length - (address.includes('.') ? 1 : 0);
  const [first, second, third] = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return [first!, second!, third!];
}
const GROUPS = 8;

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}

function withoutLastOctet(group: string): string {
  return (Number.parseInt(group, 16) & 0xff00).toString(16);
}
