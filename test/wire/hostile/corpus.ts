import type { HostileCase } from './case.ts';
import { CHUNKS, CODINGS } from './codings.ts';
import { CONNECTIONS, SMUGGLED } from './connections.ts';
import { HEADERS, HOSTS } from './headers.ts';
import { HIDDEN_BODIES, LENGTHS } from './lengths.ts';
import { COMPRESSED, ENDS, OTHER_PROTOCOLS } from './other-protocols.ts';
import { REQUEST_LINES } from './request-lines.ts';

/** The corpus, by what its cases are about. */
export const CORPUS: Readonly<Record<string, readonly HostileCase[]>> = {
  'the request line': REQUEST_LINES,
  headers: HEADERS,
  'the host': HOSTS,
  'the length of a body': LENGTHS,
  'a body that hides a request': HIDDEN_BODIES,
  'codings of the transfer': CODINGS,
  chunks: CHUNKS,
  'expectations, upgrades and connections': CONNECTIONS,
  'smuggled requests': SMUGGLED,
  'other protocols': OTHER_PROTOCOLS,
  'requests without their end': ENDS,
  'compressed bodies': COMPRESSED,
};
