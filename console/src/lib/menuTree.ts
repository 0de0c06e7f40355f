// How the tree of a menu is drawn: where boxes, lines and words stand. Pure.
//
// Lines go to the right alone, from one column to the next, so that none runs behind a box; a way back, or to a box of the same
// column, is a mark below the box it leaves, with the name of where it leads. Each line ends at a place of its own, level from
// its label on, and gaps are as wide as their labels: no words run into a box, a line or other words.

import { nextsOf, type Way } from './menu';
import type { Menu, MenuNode } from './types';

/** A node as it is drawn. */
export interface Box {
  id: string;
  /** Its place in the menu; -1: the way of those who do not find through; -2: a node that is not there. */
  at: number;
  x: number;
  y: number;
  height: number;
}

/** A way to the next column. */
export interface Edge {
  from: string;
  to: string;
  /** All its keys. */
  label: string;
  path: string;
  /** Where the label ends, and its line of writing. */
  x: number;
  y: number;
}

/** A way back, or to the same column. */
export interface Mark {
  from: string;
  to: string;
  label: string;
  /** `↩ welcome`. */
  words: string;
  x: number;
  y: number;
}

export interface Drawing {
  boxes: Box[];
  edges: Edge[];
  marks: Mark[];
  width: number;
  height: number;
}

export const BOX = { width: 168, height: 54 };
const GAP_Y = 18;
const MARGIN = 14;
/** In which lines bend, before they are level. */
const BEND = 46;
/** Between lines that end at one box: a label's height. */
const PORT = 18;
/** For each mark below a box. */
const MARK = 17;
/** A label is cut to so many letters, each at most so wide. */
const MOST = 12;
const LETTER = 9;
/** From a label's end to the box: its arrow. */
const TIP = 14;
/** What the way of those who do not find through is called in a drawing. No node has this name: names are trimmed text. */
export const ELSE = '\n else';

export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** A label as it is written. */
export const shortLabel = (label: string): string => cut(label, MOST);

/** How wide it is at most. */
export const labelWidth = (label: string): number => shortLabel(label).length * LETTER;

interface Line {
  from: string;
  to: string;
  label: string;
}

/**
 * The tree: a column for each step away from the start, nodes of a column in the order in which one comes to them. What
 * nobody comes to stands in a last column.
 */
export function draw(menu: Menu): Drawing {
  // Of nodes with one name the first is the one that counts.
  const named = new Map([...menu.nodes].reverse().map((node) => [node.id, node]));
  const depth = depths(menu, named);
  const lines = menu.nodes.filter((node) => named.get(node.id) === node).flatMap(linesOf);
  // One is a column further on, as that is how far away it is from the start, or it is no further at all.
  const goesOn = (line: Line) => depth.get(line.to)! > depth.get(line.from)!;
  const [on, back] = [lines.filter(goesOn), lines.filter((line) => !goesOn(line))];

  const columns: string[][] = [];
  for (const [id, d] of depth) (columns[d] ??= []).push(id);
  const tall = (id: string) => Math.max(BOX.height, on.filter((line) => line.to === id).length * PORT);
  const room = (id: string) => tall(id) + back.filter((line) => line.from === id).length * MARK;
  const own = (ids: string[]) => ids.reduce((sum, id) => sum + room(id), 0) + (ids.length - 1) * GAP_Y;
  const height = MARGIN * 2 + Math.max(BOX.height, ...columns.map(own));
  const level = Math.max(0, ...on.map((line) => labelWidth(line.label))) + TIP + 4;
  const step = BOX.width + BEND + level;

  const boxes: Box[] = [];
  columns.forEach((ids, d) => {
    let y = (height - own(ids)) / 2;
    for (const id of ids) {
      const found = menu.nodes.findIndex((node) => node.id === id);
      boxes.push({ id, at: id === ELSE ? -1 : found < 0 ? -2 : found, x: MARGIN + d * step, y, height: tall(id) });
      y += room(id) + GAP_Y;
    }
  });
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const edges = boxes.flatMap((to) => {
    // From above to below as they come, so that they do not cross at their end.
    const coming = on.filter((line) => line.to === to.id).sort((a, b) => byId.get(a.from)!.y - byId.get(b.from)!.y);
    const first = to.y + (to.height - (coming.length - 1) * PORT) / 2;
    return coming.map((line, n) => edge(line, byId.get(line.from)!, to, first + n * PORT, level));
  });
  const marks = boxes.flatMap((box) =>
    back
      .filter((line) => line.from === box.id)
      .map((line, n) => ({ ...line, words: markWords(line, box, byId.get(line.to)!), x: box.x + 10, y: box.y + box.height + 13 + n * MARK })),
  );
  return { boxes, edges, marks, width: MARGIN * 2 + (columns.length - 1) * step + BOX.width, height };
}

/** How many steps each is away from the start. */
function depths(menu: Menu, named: ReadonlyMap<string, MenuNode>): Map<string, number> {
  const depth = new Map<string, number>();
  const queue: [string, number][] = [[menu.start, 0]];
  for (let entry = queue.shift(); entry; entry = queue.shift()) {
    const [id, d] = entry;
    if (depth.has(id)) continue;
    depth.set(id, d);
    const node = named.get(id);
    for (const next of node ? waysOf(node) : []) queue.push([next.to, d + 1]);
  }
  const last = Math.max(0, ...depth.values()) + 1;
  const nobodys = menu.nodes.filter((node) => !depth.has(node.id));
  for (const node of nobodys) depth.set(node.id, last);
  // Where these alone lead is not there, or is where those end who do not find through.
  for (const node of nobodys) for (const { to } of waysOf(node)) if (!depth.has(to)) depth.set(to, last);
  return depth;
}

/** Where a node leads in the drawing: who presses nothing goes by the menu's own way if the node has none. */
function waysOf(node: MenuNode): Way[] {
  const ways = nextsOf(node);
  return (node.step === 'gather' || node.step === 'digits') && node.gave_up === null ? [...ways, { to: ELSE, label: 'nothing', part: '/gave_up' }] : ways;
}

/** Several ways from one node to another are one line with all their keys. */
function linesOf(node: MenuNode): Line[] {
  const lines = new Map<string, Line>();
  for (const { to, label } of waysOf(node)) {
    const there = lines.get(to);
    if (there) there.label = [there.label, label].filter(Boolean).join(', ');
    else lines.set(to, { from: node.id, to, label });
  }
  return [...lines.values()];
}

function edge(line: Line, from: Box, to: Box, y: number, level: number): Edge {
  const [x1, y1] = [from.x + BOX.width, from.y + from.height / 2];
  const straight = to.x - level;
  const mid = (x1 + straight) / 2;
  return { ...line, path: `M${x1} ${y1}C${mid} ${y1} ${mid} ${y} ${straight} ${y}H${to.x - 5}`, x: to.x - TIP, y: y - 4 };
}

function markWords({ to }: Line, from: Box, target: Box): string {
  const name = to === ELSE ? 'otherwise' : to || 'nowhere yet';
  // In the same column it is no way back, unless to itself.
  return `${target.x < from.x || target === from ? '↩' : '→'} ${name}`;
}
