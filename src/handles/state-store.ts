import type { Handle, StateEntry } from '../model/exchange.ts';
import { jsonText } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
  maxAge?: number;
  attrs?: { readonly SameSite: 'None' };
}

/** `state:store`: the cookies that the client is to set, where the endpoint cannot set them itself. Documented. */
export const stateStore: HandleSource = {
  type: 'state:store',
  service: null,
  wanted: (x) => x.client.thirdParty && x.cookies.length > 0,
  // SameSite=None needs Secure, which a page on plain http cannot set: there, the browser's default (Lax) is right.
  produce: (x) => [new StateStore(x.cookies, x.client.cookiesEnabled && x.client.https)],
};

/** Every answer to a third party has one, and stringifying it costs ten times what its own words do. */
class StateStore implements Handle<'state:store', Entry> {
  readonly type = 'state:store';
  readonly payload: readonly Entry[];

  constructor(cookies: readonly StateEntry[], isSameSiteNone: boolean) {
    this.payload = cookies.map(({ key, value, maxAgeSeconds }) => {
      const entry: Entry = { key, value };
      if (maxAgeSeconds !== null) entry.maxAge = maxAgeSeconds;
      if (isSameSiteNone) entry.attrs = SAME_SITE_NONE;
      return entry;
    });
  }

  get json(): string {
    let entries = '';
    for (const { key, value, maxAge, attrs } of this.payload) {
      entries += `${entries === '' ? '' : ','}{"key":${jsonText(key)},"value":${jsonText(value)}`;
      if (maxAge !== undefined) entries += `,"maxAge":${maxAge}`;
      entries += attrs === undefined ? '}' : ',"attrs":{"SameSite":"None"}}';
    }
    return `{"type":"state:store","payload":[${entries}]}`;
  }
}
const SAME_SITE_NONE = Object.freeze({ SameSite: 'None' });
