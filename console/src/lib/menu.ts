// A menu on the page: how it is changed. How its tree is drawn: `menuTree`. Pure.

import { same } from './account';
import { countFaults, flowsOf, numberFaults, tidiedNumber } from './hours';
import type { CallWays, Fault, Flow, Menu, MenuNode, MenuStep } from './types';

/** What a node is called on the page. */
export const STEPS: readonly { id: MenuStep['step']; label: string }[] = [
  { id: 'gather', label: 'Ask for a key' },
  { id: 'digits', label: 'Ask for a number, and say it back' },
  { id: 'play', label: 'Say something, and on' },
  { id: 'branch', label: 'Go by what is known' },
  { id: 'exit', label: 'Way out' },
];

const words = (text: string) => ({ kind: 'spoken' as const, text });

export function newMenu(menus: readonly Menu[]): Menu {
  const name = free('main', menus.map((m) => m.name));
  return {
    name,
    start: 'welcome',
    nodes: [
      {
        id: 'welcome',
        step: 'gather',
        speech: words('For an emergency, press 1. For everything else, please hold.'),
        choices: [{ digits: '1', label: 'emergency', next: 'emergency' }],
        timeout_secs: 6,
        retries: 1,
        barge_in: true,
        invalid: null,
        silent: null,
        gave_up: null,
      },
      { id: 'emergency', step: 'exit', flow: { kind: 'queue', priority: null, call_type: null } },
    ],
    otherwise: { kind: 'queue', priority: null, call_type: null },
  };
}

function free(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!taken.includes(`${wanted} ${n}`)) return `${wanted} ${n}`;
}

/** A node of another kind with the same name; its words are kept where both kinds have some. */
export function asStep(node: MenuNode, step: MenuStep['step']): MenuNode {
  const speech = 'speech' in node ? node.speech : words('');
  const first = nextsOf(node)[0]?.to ?? '';
  switch (step) {
    case 'play':
      return { id: node.id, step, speech, next: first, barge_in: false };
    case 'gather':
      return { id: node.id, step, speech, choices: [{ digits: '1', label: '', next: first }], timeout_secs: 6, retries: 1, barge_in: true, invalid: null, silent: null, gave_up: null };
    case 'digits':
      return { id: node.id, step, speech, label: '', field: null, min: 1, max: 10, say_back: true, back: null, timeout_secs: 8, retries: 2, barge_in: true, invalid: null, silent: null, next: first, gave_up: null };
    case 'branch':
      return { id: node.id, step, on: { is: 'withheld' }, then: first, otherwise: first };
    case 'exit':
      return { id: node.id, step, flow: { kind: 'queue', priority: null, call_type: null } };
  }
}

/** A node that is not there yet, with a name of its own. */
export function newNode(menu: Menu, step: MenuStep['step'], wanted = ''): MenuNode {
  const usual = { gather: 'ask', digits: 'number', play: 'words', branch: 'by', exit: 'out' }[step];
  const id = free(wanted.trim() || usual, menu.nodes.map((n) => n.id));
  return asStep({ id, step: 'exit', flow: { kind: 'queue' } }, step);
}

export interface Way {
  to: string;
  /** The key, or what leads there. */
  label: string;
  /** Where in the node it is written. */
  part: string;
}

/** Where a node leads, in the order in which it is written. */
export function nextsOf(node: MenuNode): Way[] {
  switch (node.step) {
    case 'play':
      return [{ to: node.next, label: '', part: '/next' }];
    case 'gather':
      return [
        ...node.choices.map((c, n) => ({ to: c.next, label: c.digits || '?', part: `/choices/${n}/next` })),
        ...(node.gave_up === null ? [] : [{ to: node.gave_up, label: 'nothing', part: '/gave_up' }]),
      ];
    case 'digits':
      return [{ to: node.next, label: 'number', part: '/next' }, ...(node.gave_up === null ? [] : [{ to: node.gave_up, label: 'nothing', part: '/gave_up' }])];
    case 'branch':
      return [
        { to: node.then, label: 'yes', part: '/then' },
        { to: node.otherwise, label: 'no', part: '/otherwise' },
      ];
    case 'exit':
      return [];
  }
}

/** Every place that names the node `id` now, to be changed with its name. */
export function placesOf(menu: Menu, id: string): ((to: string) => void)[] {
  const places: ((to: string) => void)[] = [];
  if (menu.start === id) places.push((to) => (menu.start = to));
  for (const node of menu.nodes) {
    if (node.step === 'play' && node.next === id) places.push((to) => (node.next = to));
    if (node.step === 'branch' && node.then === id) places.push((to) => (node.then = to));
    if (node.step === 'branch' && node.otherwise === id) places.push((to) => (node.otherwise = to));
    if (node.step === 'digits' && node.next === id) places.push((to) => (node.next = to));
    if (node.step === 'digits' && node.gave_up === id) places.push((to) => (node.gave_up = to));
    if (node.step !== 'gather') continue;
    if (node.gave_up === id) places.push((to) => (node.gave_up = to));
    for (const choice of node.choices) if (choice.next === id) places.push((to) => (choice.next = to));
  }
  return places;
}

/** Where writing goes on after a reload: the first of `now` that is not as it was before, and its first node that is not. */
export function firstWritten(now: readonly Menu[], before: readonly Menu[]): { menu: number; node: number } | null {
  const menu = now.findIndex((m, n) => !same(m, before[n] ?? null));
  if (menu < 0) return null;
  const node = now[menu]!.nodes.findIndex((one, n) => !same(one, before[menu]?.nodes[n] ?? null));
  return { menu, node: Math.max(0, node) };
}

/** What is wrong with a node or with anything in it. */
export function nodeFaults(faults: readonly Fault[], menu: string, at: number): Fault[] {
  const place = at === -1 ? `${menu}/otherwise` : `${menu}/nodes/${at}`;
  return faults.filter((f) => f.pointer === place || f.pointer.startsWith(`${place}/`));
}

/** Hours and menus as they are sent: numbers tidied. */
export function waysBody(ways: CallWays): CallWays {
  const flow = (f: Flow): Flow => (f.kind === 'spill' ? { ...f, number: tidiedNumber(f.number) } : f);
  return {
    hours: {
      ...ways.hours,
      usual: flow(ways.hours.usual),
      overdue: ways.hours.overdue && flow(ways.hours.overdue),
      windows: ways.hours.windows.map((w) => ({ ...w, flow: flow(w.flow) })),
      holidays: ways.hours.holidays.map((d) => ({ ...d, flow: flow(d.flow) })),
      overrides: ways.hours.overrides.map((o) => ({ ...o, flow: flow(o.flow) })),
    },
    menus: ways.menus.map(menuBody),
  };
}

export function menuBody(menu: Menu): Menu {
  const flow = (f: Flow): Flow => (f.kind === 'spill' ? { ...f, number: tidiedNumber(f.number) } : f);
  const node = (n: MenuNode): MenuNode => {
    if (n.step === 'exit') return { ...n, flow: flow(n.flow) };
    // Words of their own that were emptied are the house's.
    if (n.step === 'digits') return { ...n, back: n.back?.trim() ? n.back : null };
    if (n.step === 'branch' && n.on.is === 'caller') {
      return { ...n, on: { is: 'caller', numbers: n.on.numbers.map(tidiedNumber).filter((number) => number !== '') } };
    }
    return n;
  };
  return { ...menu, nodes: menu.nodes.map(node), otherwise: flow(menu.otherwise) };
}

/** What the server could not even read, each at its place. Numbers that are looked for count like those that are rung. */
export function unreadable(ways: CallWays): Fault[] {
  const faults = flowsOf(ways.hours).flatMap(([at, flow]) => numberFaults(flow, at));
  return [...faults, ...ways.menus.flatMap((menu, n) => unreadableMenu(menu, `/menus/${n}`))];
}

export function unreadableMenu(menu: Menu, at: string): Fault[] {
  const of = (node: MenuNode, n: number): Fault[] => {
    if (node.step === 'exit') return numberFaults(node.flow, `${at}/nodes/${n}/flow`);
    if (node.step === 'gather') {
      return [...countFaults(node.timeout_secs, `${at}/nodes/${n}/timeout_secs`), ...countFaults(node.retries, `${at}/nodes/${n}/retries`)];
    }
    if (node.step === 'digits') {
      return (['min', 'max', 'timeout_secs', 'retries'] as const).flatMap((part) => countFaults(node[part], `${at}/nodes/${n}/${part}`));
    }
    if (node.step !== 'branch' || node.on.is !== 'caller') return [];
    const spill = (number: string): Flow => ({ kind: 'spill', number, ring_secs: 30, failed: 'queue', before_answer: false });
    const wrong = node.on.numbers.filter((number) => number.trim() !== '' && numberFaults(spill(number), '').length > 0);
    const detail = 'These are not complete telephone numbers: ' + wrong.join(', ') + '.';
    return wrong.length ? [{ pointer: `${at}/nodes/${n}/on`, code: 'phone', detail, cure: 'Write them whole: +12025550101.' }] : [];
  };
  return [...menu.nodes.flatMap(of), ...numberFaults(menu.otherwise, `${at}/otherwise`)];
}
