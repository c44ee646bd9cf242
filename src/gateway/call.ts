import type { Exchange } from '../model/exchange.ts';
import { Problem } from '../model/problem.ts';
import type { Position } from '../model/record.ts';
import { runStages } from '../stages/run.ts';
import { type Counters, codeOf, type Fates, fatesOf } from '../telemetry/counters.ts';
import { ABORTED, type Failure } from '../telemetry/ledger.ts';
import type { Log } from '../telemetry/log.ts';
import type { RequestTrace } from '../telemetry/tracing.ts';
import type { Deadline, Deadlines, Due } from './deadlines.ts';
import type { Route } from './paths.ts';
import { late, tooLarge, unexpected } from './refusals.ts';
import { type Answerable, type Reply, replyTo, respondProblem, send } from './respond.ts';
import type { Turn } from './turn.ts';
import { TOO_LARGE, type WholeRequest } from './whole-request.ts';

export interface CallDeps {
  readonly requestBytesMax: number;
  readonly counters: Counters;
  readonly log: Log;
}

/**
 * One request under way: body, stages, answer. Ended once, by whichever comes first: the answer, a refusal, or the
 * deadline. While it waits for the disk it holds the text of its answer and nothing else of the request: with hundreds
 * waiting, what each of them holds is what garbage collection costs.
 */
export class Call implements Due {
  readonly #deps: CallDeps;
  readonly #deadlines: Deadlines;
  readonly #turn: Turn;
  readonly #to: Answerable;
  #deadline: Deadline | null = null;
  #x: Exchange | null = null;
  #reply: Reply | null = null;
  readonly #takesEvents: boolean;
  /** Null where nobody traces this request. */
  readonly #trace: RequestTrace | null;
  /** What became of its events, once they could be read. */
  #fates: Fates | null = null;
  #nowMs = 0;
  /** Its body is here, and its turn comes: also where its client goes meanwhile (a page that closes). */
  #isTaken = false;
  #isOver = false;
  /** Its record, or the first copies of its duplicates, are on their way to disk: until then nobody knows. */
  #isOnItsWay = false;
  #failure: Failure | null = null;
  #isEntered = false;

  /** `takesEvents`: it stands in the ingress ledger. */
  constructor(
    deps: CallDeps,
    deadlines: Deadlines,
    turn: Turn,
    to: Answerable,
    takesEvents: boolean,
    trace: RequestTrace | null,
  ) {
    this.#deps = deps;
    this.#deadlines = deadlines;
    this.#turn = turn;
    this.#to = to;
    this.#takesEvents = takesEvents;
    this.#trace = trace;
  }

  /**
   * Takes the body and makes an Exchange of it with `accept`; then the route's stages run, and the answer leaves.
   * `admitted`: what to wait for before; nothing is made of the body of a request that is not admitted. `deadlineMs`:
   * `performance.now()` by which it is over.
   */
  receive(
    req: WholeRequest,
    route: Route,
    accept: (body: Buffer) => Exchange,
    admitted: Promise<void> | undefined,
    deadlineMs: number,
  ): void {
    this.#deadline = this.#deadlines.begin(this, deadlineMs);
    const { requestBytesMax } = this.#deps;
    const begin = (body: Buffer | typeof TOO_LARGE): void => {
      this.#isTaken = true;
      this.#turn.add(() => this.#begin(body, route, accept));
    };
    if (admitted === undefined) {
      req.collect(requestBytesMax, begin);
      return;
    }
    const whole = new Promise<Buffer | typeof TOO_LARGE>((resolve) => req.collect(requestBytesMax, resolve));
    Promise.all([whole, admitted]).then(
      ([body]) => begin(body),
      (error: unknown) => this.fail(error),
    );
  }

  #begin(body: Buffer | typeof TOO_LARGE, route: Route, accept: (body: Buffer) => Exchange): void {
    if (this.#isOver) return;
    try {
      if (body === TOO_LARGE) throw tooLarge(this.#deps.requestBytesMax);
      this.#run(this.#trace === null ? accept(body) : this.#trace.accept(body, accept), route);
    } catch (error) {
      this.fail(error);
    }
  }

  #run(x: Exchange, route: Route): void {
    this.#x = x;
    const pending = runStages(this.#trace === null ? route.stages : this.#trace.stages(route.stages), x);
    if (pending === undefined) this.#prepare(x, route);
    else pending.then(() => this.#prepare(x, route)).catch((error: unknown) => this.fail(error));
  }

  /** The answer is put together while the record is on its way to disk, and leaves when it is there. */
  #prepare(x: Exchange, route: Route): void {
    const { awaiting } = x;
    this.#eventsOf(x);
    // Also where the answer is not sent any more, or cannot be made: a failure that nobody listens to ends the process.
    if (awaiting !== null) this.#sendAfter(awaiting, x.appended);
    if (!this.#isOver) this.#reply = replyTo(x, route.endpoint.success(x));
    if (awaiting !== null) return;
    this.#enter(false);
    this.#send(x.position);
  }

  #eventsOf(x: Exchange): void {
    this.#x = null;
    this.#fates = fatesOf(x.events);
    this.#nowMs = x.nowMs;
  }

  #sendAfter(durable: Promise<Position>, appended: Promise<Position> | null): void {
    this.#isOnItsWay = true;
    this.#trace?.durable(durable);
    durable.then(
      (position) => {
        this.#enter(appended !== null);
        this.#send(position);
      },
      (error: unknown) => {
        this.fail(error);
        this.#enterAfter(appended);
      },
    );
  }

  #send(position: Position | null): void {
    if (this.#isOver) return;
    this.#end();
    send(this.#to, this.#reply!, position);
  }

  /** It has failed; its own record may have been stored all the same. */
  #enterAfter(appended: Promise<Position> | null): void {
    if (appended === null) this.#enter(false);
    else
      appended.then(
        () => this.#enter(true),
        () => this.#enter(false),
      );
  }

  /** In the ledger, once, when it is known what became of it. `isStored`: its record is durable. */
  #enter(isStored: boolean): void {
    if (this.#isEntered || !this.#takesEvents) return;
    this.#isEntered = true;
    const { ledger } = this.#deps.counters;
    const { datastream } = this.#to;
    if (this.#fates === null) ledger.unread(datastream, Date.now(), this.#failure!);
    else ledger.settle(datastream!, this.#nowMs, this.#fates, isStored, this.#failure);
  }

  #end(): void {
    this.#isOver = true;
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    if (this.#deadline === null) return;
    this.#deadlines.end(this.#deadline);
    this.#deadline = null;
  }

  /** The deadline has passed: later stages do not run, and what is stored meanwhile is recognised when it is sent again. */
  expire(): void {
    this.#deadline = null;
    if (this.#x !== null) this.#x.expired = true;
    const isUnread = this.#isUnread();
    this.#refuse(late(isUnread));
    if (isUnread) this.#enter(false);
  }

  /** The connection is done with it. */
  close(): void {
    this.#abandon();
    this.#trace?.end(this.#to.status, this.#failure);
  }

  /** The client is gone: there is nobody to be late for, and what it has not sent yet does not come. */
  #abandon(): void {
    this.#stopWaiting();
    if (this.#isOver || this.#isTaken || !this.#isUnread()) return;
    this.#isOver = true;
    this.#failure = { code: ABORTED, status: CLIENT_CLOSED_REQUEST };
    this.#enter(false);
  }

  #isUnread(): boolean {
    return this.#x === null && this.#fates === null;
  }

  /** Nothing of it is being worked at any more, but for what is on its way to disk. */
  fail(error: unknown): void {
    if (!this.#isOver) this.#refuse(error instanceof Problem ? error : unexpected(error));
    const x = this.#x;
    if (x !== null) {
      this.#eventsOf(x);
      // A stage failed behind `append`: of what that does there is nobody to tell.
      x.awaiting?.catch(() => {});
      this.#enterAfter(x.appended);
    } else if (!this.#isOnItsWay) this.#enter(false);
  }

  #refuse(failure: Problem): void {
    this.#end();
    const { status } = failure.spec;
    const code = codeOf(failure);
    this.#failure = { code, status };
    this.#deps.counters.countProblem(failure);
    const { outlet, requestId, status: answered } = this.#to;
    if (status >= 500 && failure.shedAs === null)
      this.#deps.log.error({ requestId, code, status, cause: causeOf(failure) }, 'request failed');
    if (answered === null && !outlet.isGone) respondProblem(this.#to, failure);
  }
}

/** As proxies log it; nobody gets to see it. */
const CLIENT_CLOSED_REQUEST = 499;

function causeOf(failure: Problem): string | undefined {
  const { cause } = failure;
  return cause instanceof Error ? (cause.stack ?? cause.message) : cause === undefined ? undefined : String(cause);
}
