// A site whose server asks Weir for the page's content, and whose page goes on with the same answer: the visitor sees no
// flicker, is one visitor, and what was shown is counted once. To copy from; it needs nothing but Node.
//
//   npm run -s weir -- serve --workspace examples/hybrid/workspace --data .weir/hybrid
//   node examples/hybrid/server.mjs --edge http://127.0.0.1:8080 --port 3000

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { edge: { type: 'string', default: 'http://127.0.0.1:8080' }, port: { type: 'string', default: '3000' } },
});
const EDGE = values.edge;
const DATASTREAM = 'site';
const ORG = '0123456789ABCDEF01234567@AdobeOrg';
const COOKIE_PREFIX = `kndctr_${ORG.replaceAll('@', '_')}_`;
const SCOPE = 'greeting';
const HTML = 'https://ns.adobe.com/personalization/html-content-item';
/** A preview that goes on over pages. */
const PREVIEW_COOKIE = 'at_qa_mode';
/** Longer than Weir's own deadline. After it, the page goes out with its own content. */
const TIMEOUT_MS = 3_000;

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const PAGE = read('page.html');
const SCRIPTS = {
  '/alloy.js': read('../../node_modules/@adobe/alloy/dist/alloy.min.js'),
  '/dev-edge.js': read('../demo-shop/site/dev-edge.js'),
};

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500, { 'Content-Type': 'text/plain' }).end('This did not work. The server said why.\n');
  });
});
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/`);
});

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname.startsWith('/ee/')) return forward(request, response);
  if (SCRIPTS[pathname] !== undefined) {
    response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(SCRIPTS[pathname]);
  } else if (pathname === '/') await showPage(request, response);
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is nothing here.\n');
}

async function showPage(request, response) {
  const answered = await askForContent(request).catch((error) => {
    console.error(`the page goes out with its own content: ${error.message}`);
    return { handle: [] };
  });
  const handles = (type) => answered.handle.filter((one) => one.type === type).flatMap(({ payload }) => payload);
  const greeting = handles('personalization:decisions').find(({ scope }) => scope === SCOPE);
  const parts = {
    // Of an experience without content (the control of a test) there is an item that has none: the page keeps its own.
    greeting: greeting?.items.find(({ schema }) => schema === HTML)?.data.content ?? '<p>Welcome.</p>',
    // In a script of its own type nothing is run; a '<' in the data could end it.
    answer: JSON.stringify(answered).replaceAll('<', '\\u003c'),
  };
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    // It is one visitor's page.
    'Cache-Control': 'private, no-store',
    'Set-Cookie': handles('state:store').map(setCookie),
  });
  response.end(PAGE.replace(/\{\{(\w+)\}\}/g, (_whole, name) => parts[name]));
}

/** One interact call for this visitor: who they are is in their cookies, which go along as `meta.state.entries`. */
async function askForContent({ headers, url, socket }) {
  const isForWeir = ({ key }) => key.startsWith(COOKIE_PREFIX) || key === PREVIEW_COOKIE;
  const entries = cookiesOf(headers.cookie ?? '').filter(isForWeir);
  const body = {
    event: {
      // A fetch is no page view: that is told by the page.
      xdm: { eventType: 'decisioning.propositionFetch', web: { webPageDetails: { URL: `http://${headers.host}${url}` } } },
    },
    query: { identity: { fetch: ['ECID'] }, personalization: { decisionScopes: ['__view__', SCOPE] } },
    meta: { state: { domain: 'localhost', cookiesEnabled: true, entries } },
  };
  const call = await fetch(`${EDGE}/ee/v2/interact?datastreamId=${DATASTREAM}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...clientOf(headers, socket) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  // 207: something is missing, and said in `errors`; what is there holds.
  if (call.status !== 200 && call.status !== 207) throw new Error(`${call.status} ${await call.text()}`);
  return call.json();
}

/** By what the visitor's browser is known. Weir believes X-Forwarded-For of callers that stand in `proxies` in weir.yaml. */
function clientOf(headers, socket) {
  const names = Object.keys(headers).filter((name) => name === 'user-agent' || name.startsWith('sec-ch-ua'));
  return { ...Object.fromEntries(names.map((name) => [name, headers[name]])), 'X-Forwarded-For': socket.remoteAddress };
}

function cookiesOf(text) {
  return text
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one.includes('='))
    .map((one) => ({ key: one.slice(0, one.indexOf('=')), value: one.slice(one.indexOf('=') + 1) }));
}

/** An entry of `state:store` as a header. The page reads these cookies too, so that none is HttpOnly. */
function setCookie({ key, value, maxAge, attrs = {} }) {
  const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`;
  // Behind https, add what the entry says: SameSite=${attrs.SameSite}; Secure. Plain http, as here, takes neither.
  const sameSite = attrs.SameSite === undefined || attrs.SameSite === 'None' ? 'Lax' : attrs.SameSite;
  return `${key}=${value}; Path=/${age}; SameSite=${sameSite}`;
}

/** On a laptop the page's own calls come here, by dev-edge.js; in production they go to the SDK's edgeDomain. */
async function forward(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
  const call = await fetch(EDGE + request.url, { method: request.method, headers, body: Buffer.concat(chunks) });
  const bytes = Buffer.from(await call.arrayBuffer());
  const told = Object.fromEntries([...call.headers].filter(([name]) => !HOP_BY_HOP.includes(name)));
  response.writeHead(call.status, { ...told, 'Set-Cookie': call.headers.getSetCookie() }).end(bytes);
}
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'set-cookie'];
