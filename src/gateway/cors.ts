import type { Datastream } from '../model/datastream.ts';

/**
 * Cross-origin headers for a client that sends credentials and never asks first. The exact origin is echoed, on errors
 * too (or the page could not read them); never `*` and never `null`.
 */
const CREDENTIALS: readonly string[] = [
  'access-control-allow-credentials',
  'true',
  'access-control-expose-headers',
  'Retry-After, X-Adobe-Edge, X-Request-Id',
];

/** An origin is a scheme, a host and maybe a port: nothing else is ever echoed. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9.[\]:_-]{1,255}$/;

export function isAllowed(origin: string | null, datastream: Datastream | null): boolean {
  return origin === null || datastream === null || datastream.origins === null || datastream.origins.has(origin);
}

export function addCors(headers: string[], origin: string | null, datastream: Datastream | null): void {
  headers.push('vary', 'Origin');
  if (origin === null || !ORIGIN.test(origin) || !isAllowed(origin, datastream)) return;
  headers.push('access-control-allow-origin', origin, ...CREDENTIALS);
}

/** A browser may keep a preflight's answer this long: a policy change shows within ten minutes. */
const PREFLIGHT_SECONDS = 600;
const PREFLIGHT: readonly string[] = [
  'access-control-allow-methods',
  'POST, OPTIONS',
  'access-control-allow-headers',
  'Content-Type, Authorization, X-Api-Key, X-Gw-Ims-Org-Id, X-Sandbox-Name, X-User-Token, X-Request-Id, Traceparent, X-Adobe-AEP-Validation-Token',
  'access-control-max-age',
  String(PREFLIGHT_SECONDS),
];

export function preflightHeaders(origin: string | null, datastream: Datastream | null): string[] {
  const headers: string[] = ['allow', 'POST, OPTIONS', 'content-length', '0'];
  addCors(headers, origin, datastream);
  if (headers.includes('access-control-allow-origin')) headers.push(...PREFLIGHT);
  return headers;
}
