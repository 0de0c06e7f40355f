// A menu on the page: how it is changed, and how its tree is drawn. Pure.

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

/** A node as it is drawn. */
export interface Box {
  id: string;
  /** Its place in the menu; -1: the way of those who do not find through; -2: a node that is not there. */
  at: number;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
  label: string;
  path: string;
  /** Where the label stands. */
  x: number;
  y: number;
}

export interface Drawing {
  boxes: Box[];
  edges: Edge[];
  width: number;
  height: number;
}

export const BOX = { width: 168, height: 54 };
const GAP = { x: 74, y: 18 };
const MARGIN = 14;
/** What the way of those who do not find through is called in a drawing. No node has this name: names are trimmed text. */
export const ELSE = '\n else';

/**
 * The tree: a column for each step away from the start, nodes of a column in the order in which one comes to them. What
 * nobody comes to stands in a last column.
 */
export function draw(menu: Menu): Drawing {
  const depth = new Map<string, number>();
  // Of nodes with one name the first is the one that counts.
  const named = new Map([...menu.nodes].reverse().map((node) => [node.id, node]));
  const queue: [string, number][] = [[menu.start, 0]];
  for (let entry = queue.shift(); entry; entry = queue.shift()) {
    const [id, d] = entry;
    if (depth.has(id)) continue;
    depth.set(id, d);
    const node = named.get(id);
    for (const next of node ? waysOf(node) : []) queue.push([next.to, d + 1]);
  }
  const deepest = Math.max(0, ...depth.values());
  for (const node of menu.nodes) {
    if (!depth.has(node.id)) depth.set(node.id, deepest + 1);
  }
  const columns: string[][] = [];
  for (const [id, d] of depth) (columns[d] ??= []).push(id);
  const tallest = Math.max(1, ...columns.map((c) => c?.length ?? 0));
  const height = MARGIN * 2 + tallest * BOX.height + (tallest - 1) * GAP.y;
  const boxes: Box[] = [];
  columns.forEach((ids, d) => {
    const own = ids.length * BOX.height + (ids.length - 1) * GAP.y;
    ids.forEach((id, n) => {
      const at = id === ELSE ? -1 : menu.nodes.findIndex((node) => node.id === id);
      const place = id === ELSE ? -1 : at < 0 ? -2 : at;
      boxes.push({ id, at: place, x: MARGIN + d * (BOX.width + GAP.x), y: (height - own) / 2 + n * (BOX.height + GAP.y) });
    });
  });
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const edges = menu.nodes.flatMap((node) => {
    if (named.get(node.id) !== node) return [];
    return waysOf(node).flatMap((way) => {
      const [from, to] = [byId.get(node.id), byId.get(way.to)];
      return from && to ? [edge(from, to, way.label)] : [];
    });
  });
  const goesBack = edges.some((e) => byId.get(e.to)!.x <= byId.get(e.from)!.x);
  return { boxes, edges: apart(edges), width: MARGIN * 2 + columns.length * BOX.width + (columns.length - 1) * GAP.x, height: height + (goesBack ? GAP.y : 0) };
}

/** Where a node leads in the drawing: who presses nothing goes by the menu's own way if the node has none. */
function waysOf(node: MenuNode): Way[] {
  const ways = nextsOf(node);
  return (node.step === 'gather' || node.step === 'digits') && node.gave_up === null ? [...ways, { to: ELSE, label: 'nothing', part: '/gave_up' }] : ways;
}

function edge(from: Box, to: Box, label: string): Edge {
  const [y1, y2] = [from.y + BOX.height / 2, to.y + BOX.height / 2];
  if (to.x > from.x) {
    const [x1, x2] = [from.x + BOX.width, to.x];
    const bend = Math.min(GAP.x, (x2 - x1) / 2);
    return { from: from.id, to: to.id, label, path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 5} ${y2}`, x: x2 - 26, y: y2 };
  }
  // Back: below the boxes.
  const [x1, x2] = [from.x + BOX.width / 2, to.x + BOX.width / 2];
  const below = Math.max(from.y, to.y) + BOX.height + GAP.y - 4;
  return {
    from: from.id,
    to: to.id,
    label,
    path: `M${x1} ${from.y + BOX.height}C${x1} ${below} ${x2} ${below} ${x2} ${to.y + BOX.height + 5}`,
    x: (x1 + x2) / 2,
    y: below - 5,
  };
}

/** Several ways from one node to another are one line with all their keys. */
function apart(edges: Edge[]): Edge[] {
  const lines = new Map<string, Edge>();
  for (const one of edges) {
    const key = `${one.from}\n\n${one.to}`;
    const there = lines.get(key);
    if (there) there.label = [there.label, one.label].filter(Boolean).join(', ');
    else lines.set(key, { ...one });
  }
  return [...lines.values()];
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
