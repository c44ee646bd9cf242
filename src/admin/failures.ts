/** So many wrong tokens in a minute from one address are a mistake that somebody is looking for; more are answered 429. */
export const FAILURES_MAX = 10;
export const FAILURES_WINDOW_MS = 60_000;
/** Bounds memory; the address that failed longest ago is forgotten first. */
export const ADDRESSES_MAX = 4_096;

/**
 * Failed authentications by address, in windows of a minute. While an address has too many, nothing that it sends is
 * looked at, so it learns nothing either. An IPv6 address counts with its /64: that is what one client is given.
 */
export class Failures {
  readonly #byAddress = new Map<string, { count: number; readonly sinceMs: number }>();
  /** Since the start. */
  total = 0;

  /** Seconds until this address is listened to again; 0 where it is. `nowMs`: of a clock that does not jump. */
  waitSeconds(address: string, nowMs: number): number {
    const failed = this.#byAddress.get(keyOf(address));
    if (failed === undefined || failed.count < FAILURES_MAX) return 0;
    return Math.max(0, Math.ceil((failed.sinceMs + FAILURES_WINDOW_MS - nowMs) / 1000));
  }

  failed(address: string, nowMs: number): void {
    this.total += 1;
    const key = keyOf(address);
    const known = this.#byAddress.get(key);
    if (known !== undefined && nowMs - known.sinceMs < FAILURES_WINDOW_MS) {
      known.count += 1;
      return;
    }
    this.#byAddress.delete(key);
    this.#byAddress.set(key, { count: 1, sinceMs: nowMs });
    if (this.#byAddress.size > ADDRESSES_MAX) this.#byAddress.delete(this.#byAddress.keys().next().value!);
  }
}

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

function keyOf(address: string): string {
  const ipv4 = IPV4_IN_IPV6.exec(address)?.[1];
  if (ipv4 !== undefined || !address.includes(':')) return ipv4 ?? address;
  const [before = ''] = address.split('%');
  const [head = '', tail] = before.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const all = tail === undefined ? groups : [...groups, ...Array(8 - groups.length - last.length).fill('0'), ...last];
  return all.slice(0, 4).join(':');
}
