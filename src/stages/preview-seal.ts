import { timingSafeEqual } from 'node:crypto';
import { isObject, parseJson } from '../model/json.ts';
import { Hmac, MAC_BYTES } from './hmac.ts';

/** An experience that a link shows, for those who have the link. Of offers as in verdicts: the placement, the offers' ids. */
export interface Preview {
  readonly activityId: string;
  readonly experienceId: string;
  /** Unix epoch, seconds. */
  readonly expiresAtSeconds: number;
}

/**
 * Signs previews: base64url of `HMAC-SHA-256 over the org and the text, its first 128 bits | text in UTF-8`, with the keys of
 * event tokens. Chosen.
 */
export class PreviewSeal {
  readonly #keys: readonly Hmac[];

  /** `keys`: the one that signs, then those that are still believed; 32 secret bytes each. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((key) => new Hmac(key));
  }

  sign(orgId: string, { activityId, experienceId, expiresAtSeconds }: Preview): string {
    const text = JSON.stringify([activityId, experienceId, expiresAtSeconds]);
    return Buffer.concat([macOf(this.#keys[0]!, orgId, text), Buffer.from(text)]).toString('base64url');
  }

  /** Null for one that was not signed here, or for another org. */
  open(orgId: string, token: string): Preview | null {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== token) return null;
    const text = bytes.toString('utf8', MAC_BYTES);
    const given = bytes.subarray(0, MAC_BYTES);
    if (!this.#keys.some((key) => timingSafeEqual(macOf(key, orgId, text), given))) return null;
    const [activityId, experienceId, expiresAtSeconds] = parseJson(text) as [string, string, number];
    return { activityId, experienceId, expiresAtSeconds };
  }
}

/** The words in front keep these apart from what else is signed with such a key. */
function macOf(key: Hmac, orgId: string, text: string): Buffer {
  return key.mac(Buffer.from(`preview\0${orgId}\0${text}`));
}

/**
 * The previews of a cookie or parameter: signed texts with commas between; or the JSON that holds them as `token`, which is
 * how the Target cookie `at_qa_mode` is built. Documented of the cookie's shape; what is signed is chosen.
 */
export function previewTokens(value: string): readonly string[] {
  let text = value;
  if (text.startsWith('%7B') || text.startsWith('{')) {
    try {
      const json = parseJson(text.startsWith('{') ? text : decodeURIComponent(text));
      const token = isObject(json) ? json['token'] : undefined;
      text = typeof token === 'string' ? token : '';
    } catch {
      // Anybody may set the cookie to anything: it then holds no preview.
      return [];
    }
  }
  return text.split(',', PREVIEWS_MAX).filter((one) => one !== '');
}
/** A page shows few things at once. */
export const PREVIEWS_MAX = 10;
