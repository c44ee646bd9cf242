import { describe, expect, test } from 'vitest';
import { isObject, type Json } from '../../src/model/json.ts';
import { CATALOGUE, httpProblem, Problem, type ProblemCode, problem } from '../../src/model/problem.ts';

/** The documented table, typed in by hand: code with status, title, what becomes of the request. */
const DOCUMENTED: readonly (readonly [string, string, 'fatal' | 'error' | 'warning'])[] = [
  ['0000-503', 'Service unavailable', 'fatal'],
  ['0001-500', 'Unexpected error', 'fatal'],
  ['0002-400', 'Missing datastream parameter', 'fatal'],
  ['0003-400', 'Invalid datastream ID', 'fatal'],
  ['0004-422', 'Datastream disabled', 'fatal'],
  ['0010-422', 'Invalid datastream configuration', 'fatal'],
  ['0011-422', 'Could not retrieve sandbox details', 'fatal'],
  ['0012-422', 'Referenced sandbox cannot be resolved', 'fatal'],
  ['0013-422', 'Referenced identity namespace code cannot be resolved', 'fatal'],
  ['0100-500', 'JSON processing error', 'fatal'],
  ['0101-400', 'Invalid JSON request', 'fatal'],
  ['0102-400', 'Invalid request field', 'fatal'],
  ['0103-400', 'Missing required value', 'fatal'],
  ['0104-422', 'Input validation error', 'fatal'],
  ['0105-400', 'Input validation error', 'fatal'],
  ['0106-400', 'Invalid Content-Type header', 'fatal'],
  ['0107-400', 'Missing required parameter', 'fatal'],
  ['0108-400', 'Invalid parameter type', 'fatal'],
  ['0109-408', 'Empty request', 'fatal'],
  ['0110-400', 'Missing parameter value', 'fatal'],
  ['0111-415', 'Invalid request', 'fatal'],
  ['0112-413', 'Invalid request', 'fatal'],
  ['0113-400', 'Invalid request', 'fatal'],
  ['0200-504', 'Service call has timed out', 'error'],
  ['0201-503', 'Service temporarily unavailable', 'error'],
  ['0202-502', 'Service failed to process this request', 'error'],
  ['0203-502', 'Service call has failed', 'error'],
  ['0204-200', 'Completed with warning(s)', 'warning'],
  ['0205-502', 'Data exchange producer request failed', 'error'],
  ['0300-502', 'Could not check user consent', 'error'],
  ['0301-200', 'User consent missing', 'warning'],
  ['0302-409', 'Update operation not supported', 'fatal'],
  ['0303-200', 'Unauthorized to fetch identities', 'warning'],
  ['0304-400', 'Unexpected identities provided', 'fatal'],
  ['0305-400', 'Invalid identity provided', 'fatal'],
  ['0306-400', 'Event is missing primary identity', 'fatal'],
  ['0307-502', 'User consent update error', 'error'],
  ['0308-400', 'Invalid identity format', 'fatal'],
  ['0400-403', 'Ignored due to geographical restrictions', 'fatal'],
  ['0500-401', 'Invalid authorization token', 'fatal'],
  ['0501-401', 'Invalid user authorization token', 'fatal'],
  ['0502-401', 'Invalid token signature', 'fatal'],
  ['0503-401', 'Token expired', 'fatal'],
  ['0504-401', 'Missing required product context', 'fatal'],
  ['0505-401', 'Missing token scope', 'fatal'],
  ['0506-401', 'Missing sandbox write permissions', 'fatal'],
];
const MEDIA = ['va-edge-0400-400', 'va-edge-0404-404'];

describe('the catalogue', () => {
  test.each(DOCUMENTED)('%s: %s', (code, title, className) => {
    expect(CATALOGUE.get(`EXEG-${code}`)).toEqual({
      code: `EXEG-${code}`,
      status: Number(code.slice(5)),
      title,
      class: className,
    });
  });

  test.each(MEDIA)('%s', (code) => {
    expect(CATALOGUE.get(code)).toMatchObject({ status: Number(code.slice(-3)), class: 'fatal' });
  });

  test('has no other codes', () => {
    expect([...CATALOGUE.keys()]).toEqual([...DOCUMENTED.map(([code]) => `EXEG-${code}`), ...MEDIA]);
  });
});

/** What the iOS client decodes; a field of another type loses it the whole answer. Throws what is wrong. */
function decodeStrictly(value: Json): void {
  const is = (wanted: string, path: string, got: Json | undefined): void => {
    if (got !== undefined && got !== null && typeof got !== wanted) throw new Error(`${path} is no ${wanted}`);
  };
  if (!isObject(value)) throw new Error('no object');
  for (const key of ['title', 'detail', 'type']) is('string', key, value[key]);
  if (value['status'] !== undefined && !Number.isInteger(value['status'])) throw new Error('status is no integer');
  const report = value['report'];
  if (report === undefined) return;
  if (!isObject(report)) throw new Error('report is no object');
  if (report['eventIndex'] !== undefined && !Number.isInteger(report['eventIndex'])) throw new Error('eventIndex');
  for (const key of ['requestId', 'orgId']) is('string', key, report[key]);
  const errors = report['errors'];
  if (errors !== undefined && !(Array.isArray(errors) && errors.every((error) => typeof error === 'string')))
    throw new Error('report.errors is no array of strings');
  const cause = report['cause'];
  if (cause === undefined) return;
  if (!isObject(cause)) throw new Error('report.cause is no object');
  is('string', 'report.cause.message', cause['message']);
  if (cause['code'] !== undefined && !Number.isInteger(cause['code'])) throw new Error('report.cause.code');
}

describe('as JSON', () => {
  test.each([...CATALOGUE.keys()] as ProblemCode[])('%s is what the strictest client decodes', (code) => {
    const json = problem(code, 'What was wrong, where, and the remedy.', { eventIndex: 1 }).toJson({
      requestId: 'a-b',
    });
    expect(Object.keys(json)).toEqual(['type', 'status', 'title', 'detail', 'report']);
    expect(json['type']).toBe(`https://ns.adobe.com/aep/errors/${code}`);
    expect(json['report']).toEqual({ eventIndex: 1, requestId: 'a-b' });
    decodeStrictly(JSON.parse(JSON.stringify(json)));
  });

  test('the request’s report stands over the problem’s', () => {
    const json = problem('EXEG-0001-500', 'x', { requestId: 'forged', errors: ['e'] }).toJson({ requestId: 'ours' });
    expect(json['report']).toEqual({ requestId: 'ours', errors: ['e'] });
    decodeStrictly(json);
  });

  test('problems of HTTP itself have no type of the catalogue', () => {
    const json = httpProblem(405, 'Method Not Allowed', 'Use POST.', ['allow', 'POST']).toJson({ requestId: 'r' });
    expect(json).toEqual({
      type: 'about:blank',
      status: 405,
      title: 'Method Not Allowed',
      detail: 'Use POST.',
      report: { requestId: 'r' },
    });
    decodeStrictly(json);
  });

  test('the cause stays inside', () => {
    const cause = new Error('/secret/path');
    const made = problem('EXEG-0001-500', 'Something failed here.', {}, { cause, headers: ['retry-after', '3'] });
    expect(made).toBeInstanceOf(Problem);
    expect(made.cause).toBe(cause);
    expect(made.headers).toEqual(['retry-after', '3']);
    expect(JSON.stringify(made.toJson({}))).not.toContain('secret');
  });

  test('the strict decoder of this test does object', () => {
    const wrongs: Json[] = [
      { status: '400' },
      { title: 1 },
      { report: { errors: 'x' } },
      { report: { errors: [1] } },
      { report: { cause: { code: '1' } } },
      { report: { requestId: 1 } },
    ];
    for (const wrong of wrongs) expect(() => decodeStrictly(wrong)).toThrow();
  });
});
