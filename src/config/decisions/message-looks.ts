import type { JsonObject } from '../../model/json.ts';

/** How in-app messages look whose author does not say. Chosen. */

/**
 * For apps: in the middle of the screen, on a paler one. The Web SDK, which makes a dialog of these where an author gives some
 * of them and no `web`, paints the message itself in the backdrop's colour too (observed), so that of a message without a
 * background of its own, dark text stays to be read.
 */
export const MOBILE: JsonObject = {
  verticalAlign: 'center',
  horizontalAlign: 'center',
  width: 80,
  height: 60,
  cornerRadius: 8,
  backdropColor: '#FFFFFF',
  backdropOpacity: 0.4,
  uiTakeover: true,
};

const PARAMS = { enabled: true, insertionMethod: 'appendChild' } as const;
const ROOM = 'calc(100% - 2rem)';

/**
 * For pages: a card in the middle, never wider or higher than the window, over a darkened page. Its height cannot follow what is
 * in it: that is a page of its own, which scrolls. Above what sites use for their own menus and banners.
 */
export const WEB: JsonObject = {
  'alloy-messaging-container': {
    style: {
      position: 'fixed',
      inset: '0',
      margin: 'auto',
      width: `min(28rem, ${ROOM})`,
      height: `min(16rem, ${ROOM})`,
      boxSizing: 'border-box',
      padding: '0.5rem',
      background: '#FFFFFF',
      borderRadius: '12px',
      boxShadow: '0 1rem 3rem rgba(0, 0, 0, 0.35)',
      zIndex: '100001',
    },
    params: { ...PARAMS, parentElement: 'body' },
  },
  'alloy-content-iframe': {
    style: { display: 'block', width: '100%', height: '100%', border: 'none' },
    params: { ...PARAMS, parentElement: '#alloy-messaging-container' },
  },
  'alloy-overlay-container': {
    style: { position: 'fixed', inset: '0', background: '#000000', opacity: '0.5', zIndex: '100000' },
    params: { ...PARAMS, parentElement: 'body' },
  },
};
