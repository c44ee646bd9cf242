import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.ts';
import { launchChromium } from './chromium.ts';
import { weir } from './command.ts';
import { type EventLine, type Server, startServer } from './server.ts';
import { ROOT } from './sources.ts';
import { openPage, pageWorkspace, type SdkPage } from './web-sdk-page.ts';

/** What `weir report --json` says of one experience, as far as tests read it. */
export interface ArmLine {
  readonly kind: string;
  readonly experience: string | null;
  readonly decisions: number;
  readonly visitors: number;
  readonly displays: number;
  readonly clicks: number;
  readonly dismissals: number;
  readonly goals: Readonly<
    Record<string, { readonly visitors: number; readonly events: number; readonly sum: number }>
  >;
}
export interface ReportLine {
  readonly arms: readonly ArmLine[];
  readonly notCounted: Readonly<Record<string, number>>;
}

/** What the activity's report says now, while the server runs. */
export async function reportOn(data: string, activity: string): Promise<ReportLine> {
  const { code, out, err } = await weir('report', '--activity', activity, '--data', data, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
}

/** Chromium without a screen names itself HeadlessChrome, which is a bot: reports count it apart. */
export const PERSON =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Kept for people to look at; git ignores them. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = join(ROOT, 'test-artefacts/decisions');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

const HOST = 'www.shop.test';
const EDGE = 'data.shop.test';

/** A machine that others use decides late now and then, and then the page would keep its own content. */
const PATIENT = 'deadlineMs: 4500\ndecisions: { budgetMs: 1000 }\n';

/**
 * A site at https://www.shop.test/ whose content is decided by a server of its own, reached first-party at data.shop.test,
 * and a real browser: one of each for a test file.
 */
export class DecisionSite {
  readonly server: Server;
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(server: Server, browser: Browser, folder: string) {
    this.server = server;
    this.#browser = browser;
    this.#folder = folder;
  }

  /** `files`: of the workspace, beside the datastream 'shop' and the SDK. */
  static async start(files: Readonly<Record<string, string>>): Promise<DecisionSite> {
    const folder = mkdtempSync(join(tmpdir(), 'weir-decisions-'));
    const { cert, key } = makeCertificate(folder, [HOST, EDGE]);
    const server = await startServer({
      workspace: { ...pageWorkspace(PATIENT), ...files },
      args: ['--tls-port', '0', '--tls-cert', cert, '--tls-key', key],
    });
    const { host } = new URL(server.urls.edgeTls ?? '');
    return new DecisionSite(server, await launchChromium({ '*.test': host }), folder);
  }

  /** A new visitor, who stays: for a suite, which closes it. */
  visitorForAll(): Promise<BrowserContext> {
    return this.#browser.newContext({ userAgent: PERSON, viewport: { width: 800, height: 600 } });
  }

  /** A new visitor, gone after the test. */
  async visitor(): Promise<BrowserContext> {
    const context = await this.visitorForAll();
    onTestFinished(() => context.close());
    return context;
  }

  /** Opens a page as a new visitor, unless `context` names one who was here before. */
  async open(path: string, datastreamId: string, config: object = {}, context?: BrowserContext): Promise<SdkPage> {
    const visitor = context ?? (await this.visitor());
    return openPage(visitor, `https://${HOST}${path}`, { edgeDomain: EDGE, datastreamId, ...config });
  }

  report(activity: string): Promise<ReportLine> {
    return reportOn(this.server.data, activity);
  }

  /** The visitor's events, oldest first. */
  async eventsOf(sdk: SdkPage): Promise<readonly EventLine[]> {
    const ecid = await sdk.ecid();
    return (await this.server.events()).filter((event) => event.ecid === ecid);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
