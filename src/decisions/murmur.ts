/**
 * MurmurHash3, 32 bits, over the UTF-16 code units of a text, as Adobe Target's on-device engine has it. Signed, as there.
 * `mix` is its last step, by which one hash becomes many.
 */
export function murmur(text: string, seed = 0): number {
  let hash = seed | 0;
  const { length } = text;
  const even = length & ~1;
  for (let i = 0; i < even; i += 2) {
    hash ^= scrambled(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (length !== even) hash ^= scrambled(text.charCodeAt(even));
  return mix(hash ^ (length << 1));
}

function scrambled(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** A change of any bit of the number changes each bit of the result half of the time. Signed. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
