/** The cookies of one org, by what they hold. Documented. */
export interface CookieNames {
  readonly identity: string;
  readonly cluster: string;
  readonly consent: string;
  readonly consentCheck: string;
}

/** Of Target, whose quality assurance mode it is; the Web SDK passes it on beside the org's own. Documented. */
export const PREVIEW_COOKIE = 'at_qa_mode';

let known: { readonly prefix: string; readonly names: CookieNames } = { prefix: '', names: namesWith('') };

/** `prefix`: a datastream's `cookiePrefix`. The names are put together anew where it is not that of the request before. */
export function cookieNamesOf(prefix: string): CookieNames {
  if (known.prefix !== prefix) known = { prefix, names: namesWith(prefix) };
  return known.names;
}

function namesWith(prefix: string): CookieNames {
  return {
    identity: `${prefix}identity`,
    cluster: `${prefix}cluster`,
    consent: `${prefix}consent`,
    consentCheck: `${prefix}consent_check`,
  };
}
