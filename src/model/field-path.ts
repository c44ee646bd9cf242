/** How error details name a place in the body: as the caller wrote it. `path`: the endpoint's, as in `Endpoint.paths`. */

/** v2/interact takes one `event`, everything else `events[]`. */
export function eventField(path: string, index: number): string {
  return path === '/v2/interact' ? 'event' : `events[${index}]`;
}

/** The request's own identity map, not an event's. */
export function identityMapField(path: string): string {
  return path === '/v1/privacy/set-consent' ? 'identityMap' : 'xdm.identityMap';
}
