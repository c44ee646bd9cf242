// The panel at the foot of the page: who the edge says this visitor is, and what its last answer held.

const panel = document.createElement('details');
panel.className = 'panel';
panel.open = matchMedia('(min-width: 60rem)').matches;
panel.innerHTML = `
  <summary>What the edge answers</summary>
  <dl>
    <dt>ECID</dt><dd data-field="ecid">none yet</dd>
    <dt>Last call</dt><dd data-field="call">none yet</dd>
    <dt>Answer</dt><dd data-field="answer">–</dd>
  </dl>
  <ul data-field="handles" aria-label="Handles of the last answer"></ul>
  <p>Every event is on disk before it is answered. See them arrive, in a second terminal:</p>
  <pre tabindex="0"><code>npm run -s weir -- events --data .weir/demo --follow</code></pre>
  <p>Half of the visitors see another hero. What came of it so far:</p>
  <pre tabindex="0"><code>npm run -s weir -- report --activity hero --data .weir/demo</code></pre>`;
document.body.append(panel);

const field = (name) => panel.querySelector(`[data-field="${name}"]`);
const startedAt = new Map();

export function sent({ requestId, url }) {
  startedAt.set(requestId, performance.now());
  field('call').textContent = `${new URL(url).pathname.split('/').slice(-1)} …`;
}

export function answered({ requestId, url, statusCode, parsedBody }) {
  const milliseconds = Math.round(performance.now() - (startedAt.get(requestId) ?? performance.now()));
  startedAt.delete(requestId);
  field('call').textContent = new URL(url).pathname;
  field('answer').textContent = `${statusCode} in ${milliseconds} ms`;
  const handles = parsedBody?.handle ?? [];
  field('handles').replaceChildren(...handles.map(itemOf));
  showEcid(handles);
}

export function failed({ requestId, url, error }) {
  startedAt.delete(requestId);
  field('call').textContent = new URL(url).pathname;
  field('answer').textContent = `no answer: ${error?.message ?? 'the server could not be reached'}`;
}

function showEcid(handles) {
  const identities = handles.filter(({ type }) => type === 'identity:result').flatMap(({ payload }) => payload);
  const ecid = identities.find(({ namespace }) => namespace.code === 'ECID');
  if (ecid !== undefined) field('ecid').textContent = ecid.id;
}

function itemOf({ type, payload }) {
  const item = document.createElement('li');
  const name = document.createElement('code');
  name.textContent = type;
  item.append(name, ` ${payload.map(inShort).join(', ')}`);
  return item;
}

/** What matters of one payload item: what was decided, a cookie's last part, a hint, an identity's namespace. */
function inShort(item) {
  const { activity, experience } = item.scopeDetails ?? {};
  if (activity !== undefined) return experience === undefined ? activity.id : `${activity.id}: ${experience.id}`;
  if (item.segments !== undefined) return item.segments.map(({ id }) => id).join(', ');
  if (item.key !== undefined) return item.key.split('_').at(-1);
  if (item.hint !== undefined) return `${item.scope} ${item.hint}`;
  return item.namespace?.code ?? item.scope ?? '';
}
