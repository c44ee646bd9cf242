import type { HandleSource } from '../model/parts.ts';

/** `state:store`: the cookies that the client is to set, where the endpoint cannot set them itself. Documented. */
export const stateStore: HandleSource = {
  type: 'state:store',
  service: null,
  wanted: (x) => x.client.thirdParty && x.cookies.length > 0,
  produce(x) {
    // SameSite=None needs Secure, which a page on plain http cannot set: there, the browser's default (Lax) is right.
    const attrs = x.client.cookiesEnabled && x.client.https ? { SameSite: 'None' } : undefined;
    const payload = x.cookies.map(({ key, value, maxAgeSeconds }) => {
      const entry: { key: string; value: string; maxAge?: number; attrs?: { SameSite: string } } = { key, value };
      if (maxAgeSeconds !== null) entry.maxAge = maxAgeSeconds;
      if (attrs !== undefined) entry.attrs = attrs;
      return entry;
    });
    return [{ type: 'state:store', payload }];
  },
};
