import { coreOf, type Link, linksOf } from './identity-graph.ts';
import type { Namespace } from './identity-rules.ts';
import { type PersonState, personKey } from './person.ts';

export interface OwnId {
  readonly namespace: string;
  readonly id: string;
}

type Read = (key: string) => PersonState | null | Promise<PersonState | null>;

/**
 * Every id that is one person's, the given one first: what is erased, and exported, with it. Chosen:
 *
 * 1. Of a person's id (an address, a customer number): the person's ids that events named beside it, unless one of them was
 *    seen with another id of the given namespace too: then it is somebody else's as well.
 * 2. The devices that were seen with these, unless another person's id was seen on one: a shared device is nobody's own.
 * 3. Of a device's id that is the given one: that device, whoever used it, and no person's id.
 * 4. Ids of devices that were seen with those devices, unless another person or another ECID was seen with them.
 *
 * One that was seen with more is left: better too little than what belongs to another customer. Events that name the person
 * beside it go all the same, because they name the person.
 */
export async function idsOfPerson(
  read: Read,
  orgId: string,
  given: OwnId,
  namespaces: ReadonlyMap<string, Namespace>,
): Promise<readonly OwnId[]> {
  const own = new Map<string, OwnId>();
  const stateOf = async ({ namespace, id }: OwnId): Promise<PersonState | null> =>
    read(personKey(orgId, namespace, id));
  const keyOf = ({ namespace, id }: OwnId): string => personKey(orgId, namespace, id);
  const isDevice = (namespace: string): boolean => namespaces.get(namespace)?.kind === 'device';
  const linksTo = async (one: OwnId): Promise<readonly OwnId[]> => linksOf(await stateOf(one)).map(idOf);
  const isOwn = (one: OwnId): boolean => own.has(keyOf(one));
  const take = (one: OwnId): void => void own.set(keyOf(one), one);

  take(given);
  if (!isDevice(given.namespace)) {
    for (const one of await linksTo(given)) {
      if (isDevice(one.namespace)) continue;
      const others = await linksTo(one);
      if (others.every((other) => other.namespace !== given.namespace || isOwn(other))) take(one);
    }
    for (const person of [...own.values()]) {
      for (const device of await linksTo(person)) {
        if (!isDevice(device.namespace) || isOwn(device)) continue;
        const others = await linksTo(device);
        if (others.every((other) => isDevice(other.namespace) || isOwn(other))) take(device);
      }
    }
  }
  for (const device of [...own.values()].filter(({ namespace }) => isDevice(namespace))) {
    const core = coreOf(await stateOf(device));
    if (core !== null) take({ namespace: 'CORE', id: core });
    for (const one of await linksTo(device)) {
      if (!isDevice(one.namespace) || one.namespace === 'ECID' || isOwn(one)) continue;
      const others = await linksTo(one);
      if (others.every((other) => isOwn(other) || (isDevice(other.namespace) && other.namespace !== 'ECID'))) take(one);
    }
  }
  return [...own.values()];
}

function idOf([namespace, id]: Link): OwnId {
  return { namespace, id };
}
