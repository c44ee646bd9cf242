import { expect, test } from 'vitest';
import { type Namespace, STANDARD_NAMESPACES } from '../../src/model/identity-rules.ts';
import { type PersonState, personKey } from '../../src/model/person.ts';
import { idsOfPerson, type OwnId } from '../../src/model/person-ids.ts';

const ORG = 'A@AdobeOrg';
const namespaces = new Map<string, Namespace>(Object.entries(STANDARD_NAMESPACES));

/** "Email:ann" */
function idIn(text: string): OwnId {
  const [namespace = '', id = ''] = text.split(':');
  return { namespace, id };
}
const keyOf = ({ namespace, id }: OwnId): string => personKey(ORG, namespace, id);

/** State after events, each named by the ids in it; a CORE is no link: the ECID beside it knows it. */
function stateAfter(events: readonly string[]): (key: string) => PersonState | null {
  const links = new Map<string, Map<string, OwnId>>();
  const cores = new Map<string, string>();
  for (const event of events) {
    const ids = event.split(' ').map(idIn);
    const core = ids.find(({ namespace }) => namespace === 'CORE');
    const linked = ids.filter((id) => id !== core);
    for (const one of linked) {
      const known = links.get(keyOf(one)) ?? new Map<string, OwnId>();
      links.set(keyOf(one), known);
      for (const other of linked) if (other !== one) known.set(keyOf(other), other);
      if (core !== undefined && one.namespace === 'ECID') cores.set(keyOf(one), core.id);
    }
  }
  return (key) => {
    const found = links.get(key);
    if (found === undefined) return null;
    const listed = [...found.values()].map(({ namespace, id }) => [namespace, id, 'ambiguous', 0, 0]);
    const core = cores.get(key);
    const identity = { links: listed, ...(core === undefined ? {} : { core }), time: '1', record: '0:0' };
    return { key, version: 1, body: { identity } };
  };
}

test.each<[what: string, events: readonly string[], given: string, own: string]>([
  ['nothing is known of it: itself', [], 'Email:ann', 'Email:ann'],
  ['seen alone: itself', ['Email:ann'], 'Email:ann', 'Email:ann'],
  ['a namespace that nobody declared is a person’s', ['Shoe:7 ECID:1'], 'Shoe:7', 'Shoe:7 ECID:1'],
  ['1. another id of the person', ['Email:ann CRMID:4'], 'Email:ann', 'Email:ann CRMID:4'],
  [
    '1. not one that was seen with another id of the given namespace',
    ['Email:ann CRMID:4', 'Email:bob CRMID:4'],
    'Email:ann',
    'Email:ann',
  ],
  [
    '1. one of two addresses of a customer number is taken when that is given',
    ['Email:ann CRMID:4', 'Email:ann.new CRMID:4'],
    'CRMID:4',
    'CRMID:4 Email:ann Email:ann.new',
  ],
  [
    '1. ids in a chain are no one’s: only what stood beside the given one',
    ['Email:ann CRMID:4', 'CRMID:4 Phone:5'],
    'Email:ann',
    'Email:ann CRMID:4',
  ],
  ['2. a device of the given id', ['Email:ann ECID:1'], 'Email:ann', 'Email:ann ECID:1'],
  [
    '2. a device of another id of the person',
    ['Email:ann CRMID:4', 'CRMID:4 ECID:1'],
    'Email:ann',
    'Email:ann CRMID:4 ECID:1',
  ],
  [
    '2. not a device that another person was seen on',
    ['Email:ann ECID:1', 'Email:bob ECID:1'],
    'Email:ann',
    'Email:ann',
  ],
  [
    '2. not a device that an id was seen on which is not taken either',
    ['Email:ann CRMID:4', 'Email:bob CRMID:4', 'Email:ann ECID:1', 'CRMID:4 ECID:1'],
    'Email:ann',
    'Email:ann',
  ],
  [
    '2. of two devices the one that is not shared',
    ['Email:ann ECID:1', 'Email:ann ECID:2', 'Email:bob ECID:2'],
    'Email:ann',
    'Email:ann ECID:1',
  ],
  ['3. a device takes itself, and no person', ['Email:ann ECID:1'], 'ECID:1', 'ECID:1'],
  ['3. a shared device takes itself too', ['Email:ann ECID:1', 'Email:bob ECID:1'], 'ECID:1', 'ECID:1'],
  ['4. another id of the device', ['FPID:f ECID:1'], 'ECID:1', 'ECID:1 FPID:f'],
  [
    '4. another id of a device of the person',
    ['Email:ann ECID:1', 'FPID:f ECID:1'],
    'Email:ann',
    'Email:ann ECID:1 FPID:f',
  ],
  ['4. not one that another ECID was seen with', ['FPID:f ECID:1', 'FPID:f ECID:2'], 'ECID:1', 'ECID:1'],
  ['4. not one that a person was seen with', ['IDFA:i ECID:1', 'IDFA:i Email:bob'], 'ECID:1', 'ECID:1'],
  ['4. one that a taken person was seen with', ['IDFA:i ECID:1 Email:ann'], 'Email:ann', 'Email:ann IDFA:i ECID:1'],
  ['4. not another ECID that stood beside a device’s id', ['FPID:f ECID:1', 'FPID:f ECID:2'], 'FPID:f', 'FPID:f'],
  ['4. the CORE of an ECID', ['ECID:1 CORE:c'], 'ECID:1', 'ECID:1 CORE:c'],
  [
    '4. not the CORE of a device that is shared',
    ['Email:ann ECID:1 CORE:c', 'Email:bob ECID:1'],
    'Email:ann',
    'Email:ann',
  ],
])('%s', async (_, events, given, own) => {
  const found = await idsOfPerson(stateAfter(events), ORG, idIn(given), namespaces);
  // The one that was asked for comes first: a receipt names the person by it.
  expect(found[0]).toEqual(idIn(given));
  expect(found.map(({ namespace, id }) => `${namespace}:${id}`).sort()).toEqual(own.split(' ').sort());
});

test('state that takes a while is waited for, and another org’s persons are not looked at', async () => {
  const state = stateAfter(['Email:ann ECID:1']);
  const asked: string[] = [];
  const slow = async (key: string): Promise<PersonState | null> => {
    asked.push(key);
    return state(key);
  };
  expect(await idsOfPerson(slow, ORG, idIn('Email:ann'), namespaces)).toEqual([idIn('Email:ann'), idIn('ECID:1')]);
  expect(asked.every((key) => key.startsWith(`${ORG}|`))).toBe(true);
  expect(await idsOfPerson(slow, 'B@AdobeOrg', idIn('Email:ann'), namespaces)).toEqual([idIn('Email:ann')]);
});
