import { describe, expect, it } from 'vitest';
import { asStep, firstWritten, menuBody, newMenu, newNode, nodeFaults, placesOf, unreadableMenu } from './menu';
import type { Fault, Menu } from './types';

const spoken = (text: string) => ({ kind: 'spoken' as const, text });

/** Asks, repeats by 9, leads out by 1 and 2. */
function menu(): Menu {
  const made = newMenu([]);
  const ask = made.nodes[0]!;
  if (ask.step !== 'gather') throw new Error('it asks first');
  ask.choices = [
    { digits: '1', label: 'emergency', next: 'emergency' },
    { digits: '2', label: 'hours', next: 'hours' },
    { digits: '9', label: 'again', next: 'welcome' },
  ];
  made.nodes.push({ id: 'hours', step: 'play', speech: spoken('We open at eight.'), next: 'emergency', barge_in: false });
  return made;
}

describe('a node', () => {
  it('takes its ways along when its name changes, also by way of a name that another has', () => {
    const made = menu();
    const places = placesOf(made, 'emergency');
    for (const name of ['hours', 'hours of peril']) {
      made.nodes[1]!.id = name;
      for (const place of places) place(name);
    }
    const ask = made.nodes[0]!;
    expect(ask.step === 'gather' && ask.choices.map((c) => c.next)).toEqual(['hours of peril', 'hours', 'welcome']);
    expect(made.nodes[2]).toMatchObject({ next: 'hours of peril' });
  });

  it('keeps its words and its first way when it becomes another kind', () => {
    const asked = asStep(menu().nodes[0]!, 'play');
    expect(asked).toMatchObject({ id: 'welcome', step: 'play', next: 'emergency', speech: spoken('For an emergency, press 1. For everything else, please hold.') });
    expect(newNode(menu(), 'exit', 'hours').id).toBe('hours 2');
  });

  it('has the faults of all that is in it', () => {
    const fault = (pointer: string) => ({ pointer }) as Fault;
    const faults = [fault('/menus/0/nodes/1'), fault('/menus/0/nodes/1/flow/call_type'), fault('/menus/0/nodes/10'), fault('/menus/0/otherwise/number')];
    expect(nodeFaults(faults, '/menus/0', 1)).toHaveLength(2);
    expect(nodeFaults(faults, '/menus/0', -1)).toHaveLength(1);
  });
});

it('numbers are sent as the server takes them, and told where they cannot be', () => {
  const made = menu();
  made.nodes.push({ id: 'by', step: 'branch', on: { is: 'caller', numbers: ['(202) 555-0160', ' ', 'x'] }, then: 'hours', otherwise: 'hours' });
  made.otherwise = { kind: 'spill', number: '202 555 0161', ring_secs: 30, failed: 'queue', before_answer: false };
  const sent = menuBody(made);
  expect(sent.nodes[3]).toMatchObject({ on: { numbers: ['+12025550160', 'x'] } });
  expect(sent.otherwise).toMatchObject({ number: '+12025550161' });
  expect(unreadableMenu(made, '/menus/0').map((f) => f.pointer)).toEqual(['/menus/0/nodes/3/on']);
});

it('a count that is empty, broken or below nothing is wrong at its field, which is its node’s', () => {
  const made = menu();
  Object.assign(made.nodes[0]!, { timeout_secs: null, retries: 1.5 });
  made.nodes[1] = { id: 'emergency', step: 'exit', flow: { kind: 'voicemail', speech: spoken('Speak.'), call_type: 'ct_a', max_secs: -1, silence_secs: 0 } };
  const faults = unreadableMenu(made, '/menus/0');
  expect(faults.map((f) => f.pointer)).toEqual(['/menus/0/nodes/0/timeout_secs', '/menus/0/nodes/0/retries', '/menus/0/nodes/1/flow/max_secs']);
  expect(nodeFaults(faults, '/menus/0', 0)).toHaveLength(2);
  expect(faults[0]!.detail).toBe('There is no number here.');
});

it('writing goes on where something is another than before', () => {
  const [day, night] = [menu(), { ...menu(), name: 'night' }];
  expect(firstWritten([day, night], [day, night])).toBeNull();
  const other = structuredClone(night);
  Object.assign(other.nodes[2]!, { speech: spoken('We open at nine.') });
  expect(firstWritten([day, other], [day, night])).toEqual({ menu: 1, node: 2 });
  expect(firstWritten([day, night], [day])).toEqual({ menu: 1, node: 0 });
});

describe('a node that asks for a number', () => {
  function asking(): Menu {
    const made = menu();
    const first = asStep(made.nodes[0]!, 'digits');
    if (first.step === 'digits') Object.assign(first, { label: 'policy number', next: 'emergency' });
    made.nodes[0] = first;
    return made;
  }

  it('keeps its words, leads on by the number, and otherwise where the menu says', () => {
    const made = asking();
    expect(made.nodes[0]).toMatchObject({ speech: spoken('For an emergency, press 1. For everything else, please hold.'), say_back: true, min: 1 });
  });

  it('follows what it leads to when that is renamed', () => {
    const made = asking();
    for (const place of placesOf(made, 'emergency')) place('urgent');
    expect(made.nodes[0]).toMatchObject({ next: 'urgent' });
  });

  it('is sent with the words of the house where its own are empty, and not at all without figures', () => {
    const made = asking();
    const node = made.nodes[0]!;
    if (node.step === 'digits') node.back = '  ';
    expect(menuBody(made).nodes[0]).toMatchObject({ back: null });
    if (node.step === 'digits') node.max = Number.NaN;
    expect(unreadableMenu(made, '/menus/0').map((f) => f.pointer)).toEqual(['/menus/0/nodes/0/max']);
  });
});
