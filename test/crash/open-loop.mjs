import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/**
 * Clients that send when their time has come, whether or not there was an answer to what they sent before: run as a
 * process of its own, told by a message what to send, and answering with what came of each request.
 */

const agent = new Agent({ keepAlive: true, maxSockets: 4096, scheduling: 'lifo' });
/** Sent in groups: a timer is no finer. */
const TICK_MS = 5;
const SHOWN_CHARACTERS = 200;

process.on('message', (load) => {
  run(load).then((sent) => process.send(sent));
});

/** `rates`: requests a second, by path. Times in milliseconds since the start of the load. */
async function run({ url, rates, ms, bytes }) {
  const startMs = performance.now();
  const sent = [];
  const counts = new Map(Object.keys(rates).map((path) => [path, 0]));
  for (;;) {
    const nowMs = performance.now() - startMs;
    if (nowMs >= ms) break;
    for (const [path, rate] of Object.entries(rates)) {
      const due = Math.floor((nowMs / 1000) * rate);
      for (let i = counts.get(path); i < due; i++) sent.push(send(url, path, bytes, startMs));
      counts.set(path, Math.max(due, counts.get(path)));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return await Promise.all(sent);
}

function send(url, path, bytes, startMs) {
  const id = randomUUID();
  const event = { xdm: { eventType: 'load', mark: id, filler: 'x'.repeat(bytes) } };
  const body = JSON.stringify(path.endsWith('interact') ? { event } : { events: [event] });
  const headers = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) };
  const result = { id, path, sentMs: performance.now() - startMs, endMs: 0, status: 0, retryAfter: '', why: '' };
  return new Promise((resolve) => {
    const end = (fields) => resolve(Object.assign(result, fields, { endMs: performance.now() - startMs }));
    const to = request(`${url}${path}?datastreamId=shop&requestId=${id}`, { method: 'POST', agent, headers });
    to.on('error', (error) => end({ why: `${error.code} ${error.message}` }));
    to.on('response', (answer) => {
      const status = answer.statusCode;
      const retryAfter = answer.headers['retry-after'] ?? '';
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        if (status >= 300 && text.length < SHOWN_CHARACTERS) text += part;
      });
      answer.on('end', () => end({ status, retryAfter, why: text.slice(0, SHOWN_CHARACTERS) }));
    });
    to.end(body);
  });
}
