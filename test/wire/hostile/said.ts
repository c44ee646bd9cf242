import type { Answer } from '../../support/conversation.ts';
import { CASE_ID, good, type HostileCase } from './case.ts';

/** A case, ready to be sent. */
export interface Said {
  /** Four characters that stand in everything it sends. */
  readonly id: string;
  readonly name: string;
  /** Of one character a byte; with a good request behind it, unless the client closes its side. */
  readonly bytes: string;
  readonly statuses: readonly number[];
  readonly afterwards: 'goes on' | 'closes' | 'sees the end';
  readonly heads: readonly boolean[];
}

/** `prefix`: one letter, for the server that it is sent to. */
export function saidOf([name, rule, template, outcome]: HostileCase, index: number, prefix: string): Said {
  const id = `${prefix}${String(index).padStart(3, '0')}`;
  const [, statuses, afterwards] = /^((?:\d{3} ?)*)(?:, )?(goes on|closes|sees the end)$/.exec(outcome)!;
  const behind = afterwards === 'sees the end' ? '' : good('z');
  return {
    id,
    name: `${name} (RFC ${rule})`,
    bytes: (template + behind).replaceAll(CASE_ID, id),
    statuses: statuses === '' ? [] : statuses!.trim().split(' ').map(Number),
    afterwards: afterwards as Said['afterwards'],
    heads: [template.startsWith('HEAD ')],
  };
}

/** The mark in a request's target, or null. */
export function markOfTarget(target: string): string | null {
  return /requestId=([dnkhl]\d{3}[abcvxz])/.exec(target)?.[1] ?? null;
}

/** The mark in a request's id, which Weir makes longer; null where it made one of its own. */
export function markOfId(requestId: string): string | null {
  return /^([dnkhl]\d{3}[abcvxz])-/.exec(requestId)?.[1] ?? null;
}

export function marksOf(answers: readonly Answer[]): string[] {
  return answers.flatMap(({ headers }) => markOfId(headers.get('x-request-id') ?? '') ?? []);
}
