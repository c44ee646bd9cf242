// Content cards: the SDK hands them over, the page shows them in its own way and tells what becomes of each.
import { subscribeCards } from './web-sdk.js';

const list = document.querySelector('[data-news]');
if (list !== null) subscribeCards(show);

const shown = new Set();

/** @param {object[]} cards propositions, by rank */
function show(cards, tell) {
  const news = cards.filter(({ id }) => !shown.has(id));
  if (news.length === 0) return;
  for (const card of news) {
    shown.add(card.id);
    list.append(lineOf(card, tell));
  }
  document.querySelector('[data-no-news]').hidden = true;
  tell('display', news);
}

function lineOf(card, tell) {
  const { title, body, image, actionUrl, buttons = [] } = card.items[0].data.content;
  const line = document.querySelector('template').content.firstElementChild.cloneNode(true);
  line.querySelector('img').src = image.url;
  line.querySelector('h2').textContent = title.content;
  line.querySelector('p').textContent = body.content;
  const link = line.querySelector('a');
  link.href = buttons[0]?.actionUrl ?? actionUrl;
  link.textContent = buttons[0]?.text.content ?? 'Read on';
  link.hidden = false;
  link.addEventListener('click', () => tell('interact', [card]));
  line.querySelector('[data-dismiss]').addEventListener('click', () => {
    line.remove();
    document.querySelector('[data-no-news]').hidden = list.children.length > 0;
    tell('dismiss', [card]);
  });
  return line;
}
