import type { IncomingMessage } from 'node:http';
import type { Page } from '../model/datastream.ts';
import type { Outlet } from './outlet.ts';

/**
 * Serves a page of the workspace's site, if there is one at this path. Pages are read when the workspace is loaded, so
 * a path is a key and never a file name. `closing`: the server is stopping. Returns whether it answered.
 */
export function sendPage(
  req: IncomingMessage,
  outlet: Outlet,
  pages: ReadonlyMap<string, Page>,
  pathname: string,
  closing: boolean,
): boolean {
  if (pages.size === 0 || (req.method !== 'GET' && req.method !== 'HEAD')) return false;
  const page = pages.get(pathname);
  if (page === undefined) return false;
  outlet.res.writeHead(200, [
    'content-type',
    page.contentType,
    'content-length',
    String(page.body.length),
    'cache-control',
    'no-cache',
    'x-content-type-options',
    'nosniff',
    ...(closing ? ['connection', 'close'] : []),
  ]);
  outlet.res.end(req.method === 'HEAD' ? undefined : page.body);
  return true;
}
