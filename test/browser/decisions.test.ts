import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecisionSite, keepScreenshot } from '../support/decision-site.ts';
import { ORG, type SdkPage, sdkPage } from '../support/web-sdk-page.ts';

/** Content of the page and of scopes, as the real Web SDK shows it, and what it tells of it. */

const PICTURE = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const HOUSE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
const FIXTURE = sdkPage(`<h1 id="text">before</h1>
<div id="html">before</div>
<a id="link" href="/before">link</a>
<img id="picture" src="${PICTURE}" alt="" width="10" height="10">
<p id="styled">styled</p>
<p id="moved" style="position: relative">moved</p>
<p id="sized">sized</p>
<ol id="list"><li>1</li><li>2</li><li>3</li></ol>
<p id="gone">gone</p>
<div id="around"><p id="anchor">anchor</p></div>
<div id="outer"><p id="replaced">before</p></div>
<div id="box"><i>middle</i></div>
<div id="code"><i>own</i></div>
<button id="buy" type="button">Buy</button>
<div id="card"><button id="more" type="button">More</button></div>
<div id="slot">empty</div>
`);

interface Action {
  readonly kind: string;
  /** The activity's line. */
  readonly yaml: string;
  /** What is looked at in the page. */
  readonly look: string;
  readonly before: unknown;
  readonly after: unknown;
}
const text = (id: string): string => `document.querySelector('${id}').textContent`;
const children = (id: string): string =>
  `[...document.querySelector('${id}').children].map((child) => child.textContent)`;
const style = (id: string, name: string): string => `getComputedStyle(document.querySelector('${id}')).${name}`;

/** Every kind that changes the page. */
const ACTIONS: readonly Action[] = [
  {
    kind: 'setText',
    yaml: 'setText: "after <b>", selector: "#text"',
    look: text('#text'),
    before: 'before',
    after: 'after <b>',
  },
  {
    kind: 'setHtml',
    yaml: 'setHtml: "<b>after</b>", selector: "#html"',
    look: "document.querySelector('#html').innerHTML",
    before: 'before',
    after: '<b>after</b>',
  },
  {
    kind: 'setAttribute',
    yaml: 'setAttribute: { href: /after, title: T }, selector: "#link"',
    look: "['href', 'title'].map((name) => document.querySelector('#link').getAttribute(name))",
    before: ['/before', null],
    after: ['/after', 'T'],
  },
  {
    kind: 'setImageSource',
    yaml: `setImageSource: "${HOUSE}", selector: "#picture"`,
    look: "document.querySelector('#picture').getAttribute('src')",
    before: PICTURE,
    after: HOUSE,
  },
  {
    kind: 'setStyle',
    yaml: 'setStyle: { color: "rgb(1, 2, 3)", priority: important }, selector: "#styled"',
    look: style('#styled', 'color'),
    before: 'rgb(0, 0, 0)',
    after: 'rgb(1, 2, 3)',
  },
  {
    kind: 'move',
    yaml: 'move: { left: 30, top: 5 }, selector: "#moved"',
    look: `[${style('#moved', 'left')}, ${style('#moved', 'top')}]`,
    before: ['0px', '0px'],
    after: ['30px', '5px'],
  },
  {
    kind: 'resize',
    yaml: 'resize: { width: 123, height: 45 }, selector: "#sized"',
    look: `[${style('#sized', 'width')}, ${style('#sized', 'height')}]`,
    before: [expect.any(String), expect.any(String)],
    after: ['123px', '45px'],
  },
  {
    kind: 'rearrange',
    yaml: 'rearrange: { from: 0, to: 2 }, selector: "#list"',
    look: children('#list'),
    before: ['1', '2', '3'],
    after: ['2', '3', '1'],
  },
  {
    kind: 'remove',
    yaml: 'remove: true, selector: "#gone"',
    look: "document.querySelector('#gone') === null",
    before: false,
    after: true,
  },
  {
    kind: 'insertBefore, insertAfter',
    yaml: 'insertBefore: "<p>above</p>", selector: "#anchor" }\n      - { insertAfter: "<p>below</p>", selector: "#anchor"',
    look: children('#around'),
    before: ['anchor'],
    after: ['above', 'anchor', 'below'],
  },
  {
    kind: 'replaceHtml',
    yaml: 'replaceHtml: "<p id=new>after</p>", selector: "#replaced"',
    look: "document.querySelector('#outer').innerHTML.trim()",
    before: '<p id="replaced">before</p>',
    after: '<p id="new">after</p>',
  },
  {
    kind: 'prependHtml, appendHtml',
    yaml: 'prependHtml: "<i>first</i>", selector: "#box" }\n      - { appendHtml: "<i>last</i>", selector: "#box"',
    look: children('#box'),
    before: ['middle'],
    after: ['first', 'middle', 'last'],
  },
  {
    kind: 'customCode',
    yaml: 'customCode: "<script>window.ran = true</script><i>code</i>", selector: "#code"',
    look: '[window.ran ?? false, document.querySelector("#code").lastElementChild.textContent, document.querySelectorAll("#code i").length]',
    before: [false, 'own', 1],
    after: [true, 'own', 2],
  },
];

const datastream = (id: string): string => `id: ${id}\norg: ${ORG}\nname: ${id}\n`;
const activity = (id: string, rest: string): string => `id: ${id}\ndatastreams: [${id}]\n${rest}`;
const one = (content: string): string => `experiences:\n  - id: all\n    ${content.replaceAll('\n', '\n    ')}\n`;

const DATASTREAMS = ['actions', 'clicks', 'flicker', 'scopes', 'control', 'twice'];
const FILES = {
  'site/fixture.html': FIXTURE,
  ...Object.fromEntries(DATASTREAMS.map((id) => [`datastreams/${id}.yaml`, datastream(id)])),
  'activities/actions.yaml': activity(
    'actions',
    one(`actions:\n${ACTIONS.map(({ yaml }) => `  - { ${yaml.replaceAll('\n    ', '\n')} }`).join('\n')}`),
  ),
  'activities/clicks.yaml': activity(
    'clicks',
    one(
      'actions:\n  - { click: true, selector: "#buy", label: bought }\n  - { setHtml: "<button id=more>Read on</button>", selector: "#card" }\n  - { collectInteractions: true, selector: "#card", label: card }',
    ),
  ),
  'activities/flicker.yaml': activity(
    'flicker',
    one('actions:\n  - { setText: after, selector: "#text" }\n  - { setText: after, selector: "#late" }'),
  ),
  'activities/scopes.yaml': activity(
    'scopes',
    'scope: banner\nexperiences:\n  - { id: all, html: "<b>Hello {{data.name | \'you\'}}</b>" }\n',
  ),
  'activities/settings.yaml':
    'id: settings\ndatastreams: [scopes]\nscope: settings\nexperiences:\n  - { id: all, json: { columns: 3, sale: true } }\n',
  'activities/control.yaml': activity('control', 'scope: __view__\nexperiences:\n  - { id: all, default: true }\n'),
  'activities/twice.yaml': activity('twice', one('actions:\n  - { setText: after, selector: "#text" }')),
};

let site: DecisionSite;
beforeAll(async () => {
  site = await DecisionSite.start(FILES);
});
afterAll(() => site?.stop());

const PAGE_VIEW = { renderDecisions: true, xdm: { eventType: 'web.webpagedetails.pageViews' } };
const seen = (page: Page, what: string): Promise<unknown> => page.evaluate(what);

/** Displays and clicks of the only experience, by the report. */
async function counted(id: string): Promise<readonly [displays: number, clicks: number, again: number]> {
  const { arms, notCounted } = await site.report(id);
  expect(arms.length, `arms of ${id}`).toBeLessThanOrEqual(1);
  return [arms[0]?.displays ?? 0, arms[0]?.clicks ?? 0, notCounted['duplicates'] ?? 0];
}

describe('dom-action', () => {
  let sdk: SdkPage;
  let context: Awaited<ReturnType<DecisionSite['visitor']>>;
  const before = new Map<string, unknown>();
  beforeAll(async () => {
    context = await site.visitorForAll();
    sdk = await site.open('/fixture', 'actions', {}, context);
    for (const { kind, look } of ACTIONS) before.set(kind, await seen(sdk.page, look));
    await sdk.command('sendEvent', PAGE_VIEW);
  });
  afterAll(() => context?.close());

  it.each(ACTIONS)('$kind changes the page', async ({ kind, look, before: was, after }) => {
    expect(before.get(kind)).toEqual(was);
    await expect.poll(() => seen(sdk.page, look)).toEqual(after);
  });

  it('nothing stays hidden, and one display of all of them is counted', async () => {
    const hiding = "[...document.head.querySelectorAll('style')].map((node) => node.textContent)";
    await expect.poll(() => seen(sdk.page, hiding)).toEqual([]);
    await expect.poll(() => counted('actions')).toEqual([1, 0, 0]);
    await keepScreenshot(sdk.page, 'dom-actions');
  });
});

it('click and collectInteractions: clicks are told with what they were on, and counted', async () => {
  const sdk = await site.open('/fixture', 'clicks', { autoCollectPropositionInteractions: { TGT: 'always' } });
  await sdk.command('sendEvent', PAGE_VIEW);
  await expect.poll(() => seen(sdk.page, text('#more'))).toBe('Read on');
  await expect.poll(() => counted('clicks')).toEqual([1, 0, 0]);
  const interactions = async () =>
    (await site.eventsOf(sdk)).filter(({ xdm }) => xdm.eventType === 'decisioning.propositionInteract');
  await sdk.page.click('#buy');
  await expect.poll(async () => (await interactions()).length).toBe(1);
  await sdk.page.click('#more');
  await expect.poll(async () => (await interactions()).length).toBe(2);
  expect((await interactions()).map(({ xdm }) => xdm['_experience'])).toMatchObject([
    { decisioning: { propositionEventType: { interact: 1 }, propositionAction: { label: 'bought' } } },
    { decisioning: { propositionEventType: { interact: 1 }, propositionAction: { label: 'card' } } },
  ]);
  // Both clicks are of one decision: a visitor's second click on the same content is told, and counts no more.
  await expect.poll(() => counted('clicks')).toEqual([1, 1, 1]);
});

describe('flicker', () => {
  const WATCH = `(() => {
    window.frames = [];
    const look = () => {
      for (const id of ['text', 'late']) {
        const node = document.getElementById(id);
        if (node === null) continue;
        const { visibility, opacity } = getComputedStyle(node);
        const isSeen = visibility === 'visible' && opacity !== '0';
        if (isSeen) window.frames.push(id + ' ' + node.textContent);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })()`;

  it('what will be changed is hidden before the answer, and shows only what it was changed to', async () => {
    const sdk = await site.open('/fixture', 'flicker', { prehidingStyle: '#text { opacity: 0 !important }' });
    const { page } = sdk;
    let letThrough = (): void => {};
    const held = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await page.route('**/interact*', async (route) => {
      await held;
      await route.continue();
    });
    const sent = sdk.command('sendEvent', PAGE_VIEW);
    await expect.poll(() => seen(page, style('#text', 'opacity'))).toBe('0');
    await page.evaluate(WATCH);
    expect(await seen(page, text('#text'))).toBe('before');
    await keepScreenshot(page, 'flicker-before');
    letThrough();
    await sent;
    await expect.poll(() => seen(page, 'window.frames.includes("text after")')).toBe(true);
    // Its answer is there, its element is not yet: the style that will hide it is.
    const hidden = "[...document.head.querySelectorAll('style')].map((node) => node.textContent)";
    expect(await seen(page, hidden)).toEqual(['#late { visibility: hidden }']);
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<p id="late">before</p>')`);
    await expect.poll(() => seen(page, 'window.frames.includes("late after")')).toBe(true);
    await keepScreenshot(page, 'flicker-after');
    expect(await seen(page, '[...new Set(window.frames)].sort()')).toEqual(['late after', 'text after']);
    expect(await seen(page, hidden)).toEqual([]);
    await expect.poll(() => counted('flicker')).toEqual([1, 0, 0]);
  });
});

describe('scopes', () => {
  it('html-content-item is put where the page says, and its display told with the next event', async () => {
    const sdk = await site.open('/fixture', 'scopes');
    const answer = await sdk.page.evaluate(`(async () => {
      const { propositions } = await alloy('sendEvent', {
        renderDecisions: true,
        xdm: { eventType: 'web.webpagedetails.pageViews' },
        data: { name: 'Ada <3' },
        personalization: { decisionScopes: ['banner', 'settings', 'nothing'], sendDisplayEvent: false },
      });
      const applied = await alloy('applyPropositions', {
        propositions,
        metadata: { banner: { selector: '#slot', actionType: 'setHtml' } },
      });
      return { asked: propositions, applied: applied.propositions };
    })()`);
    expect(answer).toMatchObject({
      asked: [
        { scope: 'banner', renderAttempted: false, items: [{ data: { content: '<b>Hello Ada &lt;3</b>' } }] },
        { scope: 'settings', items: [{ data: { format: 'application/json', content: { columns: 3, sale: true } } }] },
      ],
      applied: [{ scope: 'banner', renderAttempted: true }],
    });
    await expect.poll(() => seen(sdk.page, text('#slot'))).toBe('Hello Ada <3');
    await keepScreenshot(sdk.page, 'html-content-item');
    expect(await counted('scopes')).toEqual([0, 0, 0]);
    await sdk.command('sendEvent', {
      xdm: { eventType: 'bottom' },
      personalization: { includeRenderedPropositions: true, defaultPersonalizationEnabled: false },
    });
    await expect.poll(() => counted('scopes')).toEqual([1, 0, 0]);
  });

  it('json-content-item is handed over, and what the page tells of it counted', async () => {
    const sdk = await site.open('/fixture', 'scopes');
    const content = await sdk.page.evaluate(`(async () => {
      const { propositions } = await alloy('sendEvent', { personalization: { decisionScopes: ['settings'] } });
      const [{ id, scope, scopeDetails, items }] = propositions;
      await alloy('sendEvent', {
        xdm: {
          eventType: 'decisioning.propositionDisplay',
          _experience: { decisioning: { propositions: [{ id, scope, scopeDetails }], propositionEventType: { display: 1 } } },
        },
      });
      return items[0].data.content;
    })()`);
    expect(content).toEqual({ columns: 3, sale: true });
    await expect.poll(() => counted('settings')).toEqual([1, 0, 0]);
  });

  it('default-content-item changes nothing, and is displayed like all others', async () => {
    const sdk = await site.open('/fixture', 'control');
    const before = await seen(sdk.page, 'document.body.innerHTML');
    await sdk.command('sendEvent', PAGE_VIEW);
    await expect.poll(() => counted('control')).toEqual([1, 0, 0]);
    expect(await seen(sdk.page, 'document.body.innerHTML')).toBe(before);
  });
});

it('a display that is told twice counts once', async () => {
  const sdk = await site.open('/fixture', 'twice');
  await sdk.command('sendEvent', PAGE_VIEW);
  await expect.poll(() => counted('twice')).toEqual([1, 0, 0]);
  const told = (await site.eventsOf(sdk)).find(({ xdm }) => xdm.eventType === 'decisioning.propositionDisplay')!;
  // Once more as another event, as a page does that is restored; and once as a client that retries: the same request.
  const { eventType, _experience } = told.xdm;
  const answered = sdk.page.waitForResponse((response) => response.url().includes('/interact'));
  await sdk.command('sendEvent', { xdm: { eventType, _experience } });
  expect(await (await answered).json()).not.toHaveProperty('warnings');
  const display = sdk.calls.find((call) => (call.postData() ?? '').includes('propositionDisplay'))!;
  await sdk.page.evaluate(
    `fetch(${JSON.stringify(display.url())}, { method: 'POST', credentials: 'include', body: ${JSON.stringify(display.postData())} })`,
  );
  await expect.poll(() => counted('twice')).toEqual([1, 0, 1]);
  const events = await site.eventsOf(sdk);
  expect(events.filter(({ xdm }) => xdm.eventType === 'decisioning.propositionDisplay')).toHaveLength(2);
});
