// The consent dialog. The choice itself lives in the cookie that the edge answers with; the SDK obeys it.
import { ORG, setConsent } from './web-sdk.js';

const COOKIE = `kndctr_${ORG.replaceAll('@', '_')}_consent=`;

/** @returns {'in' | 'out' | null} null: not asked yet */
export function choice() {
  const cookie = document.cookie.split('; ').find((one) => one.startsWith(COOKIE));
  const value = decodeURIComponent(cookie?.slice(COOKIE.length) ?? '');
  return value === 'general=in' ? 'in' : value === 'general=out' ? 'out' : null;
}

const STATUS = {
  in: 'You have accepted analytics on this site.',
  out: 'You have declined analytics on this site.',
  null: 'You have not chosen yet: nothing is sent until you do.',
};

const dialog = document.createElement('dialog');
dialog.className = 'consent';
dialog.setAttribute('aria-labelledby', 'consent-title');
dialog.innerHTML = `
  <h2 id="consent-title">May we count your visit?</h2>
  <p>We would like to know which pages and products are looked at. The events stay on the server that this shop runs on.</p>
  <p class="consent-status"></p>
  <p class="consent-error" role="alert"></p>
  <div class="consent-buttons">
    <button type="button" class="button" data-choice="out">Decline</button>
    <button type="button" class="button" data-choice="in">Accept</button>
  </div>`;
document.body.append(dialog);

function open() {
  dialog.querySelector('.consent-status').textContent = STATUS[choice()];
  dialog.querySelector('.consent-error').textContent = '';
  dialog.showModal();
}

dialog.addEventListener('click', async (event) => {
  const wanted = event.target.dataset?.choice;
  if (wanted === undefined) return;
  const buttons = [...dialog.querySelectorAll('button')];
  for (const button of buttons) button.disabled = true;
  try {
    await setConsent(wanted);
    dialog.close();
  } catch (error) {
    dialog.querySelector('.consent-error').textContent = `Your choice could not be kept: ${error.message}`;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
});

for (const opener of document.querySelectorAll('[data-open="consent"]')) opener.addEventListener('click', open);
if (choice() === null) open();
