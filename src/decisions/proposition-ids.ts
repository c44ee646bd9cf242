import { murmur } from './murmur.ts';

/** Ids of propositions. The same content for the same place has the same id in every answer: who was told is in the token. */

/** Documented for Adobe Target: `AT:` and base64 of `{"activityId","experienceId"}`. */
export function targetId(activityId: string, experienceId: string): string {
  const bytes = new TextEncoder().encode(JSON.stringify({ activityId, experienceId }));
  return `AT:${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

/** A UUID (version 8: of our own making) of a text. Clients want ids of other providers to be unique, and no more. */
export function uuidOf(text: string): string {
  const hex = SEEDS.map((seed) => hexOf(murmur(text, seed))).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
const SEEDS = [0x00000001, 0x5bd1e995, 0x1b873593, 0x27d4eb2f] as const;

/** Short, and another one where the text is another: offers have it to be told from their older versions. */
export function etagOf(text: string): string {
  return `${hexOf(murmur(text, SEEDS[0]))}${hexOf(murmur(text, SEEDS[1]))}`;
}

function hexOf(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0');
}
