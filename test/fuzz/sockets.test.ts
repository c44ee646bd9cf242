import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../support/gateway-server.ts';
import { requestBytes, sendBytes } from '../support/raw-http.ts';
import { fuzzSeed, inputAt, judged } from './fuzz.ts';
import { InProcess } from './in-process.ts';
import { describeInput } from './input.ts';
import { judge } from './judge.ts';

/** Others than are played without one. */
const START = 3_000_000;
const INPUTS = 500;

test('through a socket the same requests get the same answers as without one', async () => {
  const [behind, alone] = [new InProcess(), new InProcess()];
  const server = await startGateway(behind.deps);
  onTestFinished(() => server.stop());
  let compared = 0;
  for (let number = START; number < START + INPUTS; number++) {
    const { headers, target: path, ...rest } = inputAt(fuzzSeed(), number);
    // The length is that of the changed body.
    const input = {
      ...rest,
      target: path,
      headers: headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
    };
    const has = (wanted: string): boolean => input.headers.some(([name]) => name.toLowerCase() === wanted);
    if (input.method === 'GET' || !has('host') || has('expect')) continue;
    behind.log.sent = input.body;
    const length = ['Content-Length', String(input.body.length)] as const;
    const answer = await sendBytes(
      server.edge,
      requestBytes(server.edge, { ...rest, path, headers: [...input.headers, length] }),
    );
    const name = `WEIR_FUZZ_SEED=${fuzzSeed()}, input ${number}`;
    expect(() => judge(answer), `${name}\n${describeInput(input)}`).not.toThrow();
    // Larger heads than Node takes do not come so far.
    if (answer.status === 431) continue;
    const { status } = await judged(alone, input, name);
    expect(answer.status, `${name}\n${describeInput(input)}`).toBe(status);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(INPUTS / 3);
  expect(behind.told).toEqual([]);
});
