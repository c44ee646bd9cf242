import type { Json } from '../../src/model/json.ts';
import type { ProblemCode } from '../../src/model/problem.ts';
import type { GatewayParts } from './gateway-server.ts';

/** A request that reaches one code of the error catalogue. */
export interface ErrorRequest {
  readonly path?: string;
  readonly body?: Json;
  readonly raw?: string | Buffer;
  readonly headers?: readonly (readonly [string, string])[];
  readonly listener?: 'edge' | 'server';
  readonly parts?: GatewayParts;
}
/** Code; what is wrong; the request; what the detail must say: the field or value, and the remedy. */
export type ErrorRow = readonly [ProblemCode, string, ErrorRequest, readonly string[]];
