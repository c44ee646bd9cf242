// How often this browser was here: each new tab is another visit. It is sent as a profile attribute, by which the
// audience 'returning' goes.
const COUNT = 'visits';
const IS_COUNTED = 'visit';

/** @returns {number} 1 at the first visit */
export function visits() {
  const before = Number(localStorage.getItem(COUNT) ?? 0);
  if (sessionStorage.getItem(IS_COUNTED) !== null) return before;
  sessionStorage.setItem(IS_COUNTED, 'yes');
  localStorage.setItem(COUNT, String(before + 1));
  return before + 1;
}
