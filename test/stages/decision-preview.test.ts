import { describe, expect, test } from 'vitest';
import type { Client } from '../../src/model/exchange.ts';
import { previewOf } from '../../src/stages/decision-preview.ts';
import { PreviewSeal } from '../../src/stages/preview-seal.ts';
import { definitionsOf } from '../support/decisions.ts';
import { clientOf, eventOf, exchangeOf, NOW_MS, ORG } from '../support/exchanges.ts';

const seal = new PreviewSeal([Buffer.alloc(32, 9)]);
const definitions = definitionsOf({ orgId: ORG });
const NOW_SECONDS = NOW_MS / 1000;
const tokenOf = (activityId: string, experienceId: string, inSeconds = 60, orgId = ORG): string =>
  seal.sign(orgId, { activityId, experienceId, expiresAtSeconds: NOW_SECONDS + inSeconds });
const pageOf = (url: string) => ({ web: { webPageDetails: { URL: url } } });

function forced(client: Partial<Client>, xdm = {}) {
  const event = eventOf(xdm);
  const x = exchangeOf({ events: [event], client: clientOf(client) });
  return { preview: previewOf(x, event, seal, definitions), warnings: x.warnings.map(({ detail }) => detail) };
}

describe('a preview', () => {
  test('is of the request first, then of the page, then of the cookie', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((experience) => tokenOf('hero', experience)) as [string, string, string];
    const page = pageOf(`https://shop.example/?weir_preview=${b}`);
    const cookies = new Map([['at_qa_mode', c]]);
    expect(forced({ preview: a, cookies }, page).preview).toEqual({ hero: 'a' });
    expect(forced({ cookies }, page).preview).toEqual({ hero: 'b' });
    expect(forced({ cookies }).preview).toEqual({ hero: 'c' });
  });

  test('is over at the second in which it expires', () => {
    expect(forced({ preview: tokenOf('hero', 'a', 1) })).toEqual({ preview: { hero: 'a' }, warnings: [] });
    for (const inSeconds of [0, -1]) {
      expect(forced({ preview: tokenOf('hero', 'a', inSeconds) })).toEqual({
        preview: null,
        warnings: ["A preview has no effect: its link has expired. Make another one with 'weir preview'."],
      });
    }
  });

  test('that is not believed leaves those beside it', () => {
    const tokens = [tokenOf('hero', 'a'), 'AAAA', tokenOf('cart', 'b', 60, 'OTHER@AdobeOrg'), tokenOf('cart', 'c')];
    const { preview, warnings } = forced({ preview: tokens.join(',') });
    expect(preview).toEqual({ hero: 'a', cart: 'c' });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/was not made by this server for this org/);
  });

  test('of one activity twice: the last one', () => {
    expect(forced({ preview: `${tokenOf('hero', 'a')},${tokenOf('hero', 'b')}` }).preview).toEqual({ hero: 'b' });
  });

  test.each<[string, object]>([
    ['no page', {}],
    ['a page without', pageOf('https://shop.example/?a=1')],
    ['an empty one', pageOf('https://shop.example/?weir_preview=')],
    ['an address that is none', pageOf(`/cart?weir_preview=${tokenOf('hero', 'a')}`)],
    ['another parameter that ends so', pageOf(`https://shop.example/?x_weir_preview=${tokenOf('hero', 'a')}`)],
    ['a URL that is no text', { web: { webPageDetails: { URL: 1 } } }],
  ])('%s: none, and nothing to warn of', (_, xdm) => {
    expect(forced({}, xdm)).toEqual({ preview: null, warnings: [] });
  });
});
