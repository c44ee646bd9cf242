/** What a visitor filled in could be a script, or another site without a scheme; where there is no host, the path becomes one. */
const LEADS_SOMEWHERE = /^(?:https?:\/\/[^/\\?#]|[/?#](?![/\\]))/i;
/** Browsers take these out of a URL before they read it: of `/`, a tab and `/` two slashes are left. */
const PASSED_OVER = /[\t\n\r]/g;
const ANY_PAGE = 'https://shop.example/';

/** Whether a redirect is an http or https URL, or a path of the site. */
export function leadsSomewhere(target: string): boolean {
  return LEADS_SOMEWHERE.test(target.replace(PASSED_OVER, '')) && URL.canParse(target, ANY_PAGE);
}
