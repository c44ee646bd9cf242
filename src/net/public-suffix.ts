import { createRequire } from 'node:module';

type List = typeof import('tldts');
let list: List | null = null;

/** Rules of hosting companies (github.io) count as those of registries (co.uk) do: browsers make no difference. */
const AS_BROWSERS_DO = { allowPrivateDomains: true, extractHostname: false, validateHostname: false, detectIp: false };

/**
 * Whether a domain is one under which strangers register names (com, co.uk, github.io): no browser takes a cookie for
 * it. `domain`: a DNS name in lower case. Rule: the public suffix list, in the version of the package. 0.1 µs; the list is
 * loaded when it is first asked (7 ms, 1 MB), so that a start does not wait for it.
 */
export function isPublicSuffix(domain: string): boolean {
  list ??= createRequire(import.meta.url)('tldts') as List;
  return list.getPublicSuffix(domain, AS_BROWSERS_DO) === domain;
}
