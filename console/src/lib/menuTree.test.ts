import { describe, expect, it } from 'vitest';
import { asStep, newMenu } from './menu';
import { BOX, draw, ELSE, labelWidth, type Drawing } from './menuTree';
import type { Menu, MenuNode } from './types';

const spoken = (text: string) => ({ kind: 'spoken' as const, text });

function asks(id: string, nexts: string[], gave_up: string | null = null): MenuNode {
  const choices = nexts.map((next, n) => ({ digits: String(n + 1), label: '', next }));
  return { id, step: 'gather', speech: spoken('x'), choices, timeout_secs: 6, retries: 1, barge_in: true, invalid: null, silent: null, gave_up };
}

const says = (id: string, next: string): MenuNode => ({ id, step: 'play', speech: spoken('x'), next, barge_in: false });
const out = (id: string): MenuNode => ({ id, step: 'exit', flow: { kind: 'queue' } });

function of(...nodes: MenuNode[]): Menu {
  return { ...newMenu([]), start: nodes[0]!.id, nodes };
}

/** Asks, repeats by 9, leads out by 1 and 2. */
function menu(): Menu {
  const made = of(asks('welcome', ['emergency', 'hours']), out('emergency'), says('hours', 'emergency'));
  const ask = made.nodes[0]!;
  if (ask.step === 'gather') ask.choices.push({ digits: '9', label: 'again', next: 'welcome' });
  return made;
}

/** Words that lead back, and a number that is asked for, beside a way out. */
function withWordsBack(): Menu {
  const number = asStep({ ...out('unit number') }, 'digits');
  if (number.step === 'digits') number.next = 'out';
  return of(asks('welcome', ['emergency', 'words', 'unit number']), out('emergency'), says('words', 'welcome'), number, out('out'));
}

const named = (to: string) => (to === ELSE ? 'else' : to);

describe('the drawing', () => {
  it('has a column for each step from the start, a line for each way on, and who presses nothing', () => {
    const { boxes, edges, marks } = draw(menu());
    const column = (id: string) => boxes.find((b) => b.id === id)!.x;
    expect(column('welcome')).toBeLessThan(column('emergency'));
    expect(column('emergency')).toBe(column('hours'));
    expect(boxes.find((b) => b.id === ELSE)!.at).toBe(-1);
    expect(edges.map((e) => `${e.from}-${e.label}-${named(e.to)}`)).toEqual(['welcome-1-emergency', 'welcome-2-hours', 'welcome-nothing-else']);
    // To itself and to its own column leads a mark.
    expect(marks.map((m) => `${m.from}: ${m.label} ${m.words}`)).toEqual(['welcome: 9 ↩ welcome', 'hours:  → emergency']);
  });

  it('marks a way back at the node that leads back, with its name, and draws no line for it', () => {
    const { edges, marks } = draw(withWordsBack());
    expect(marks.map((m) => `${m.from}: ${m.label} ${m.words}`)).toEqual(['words:  ↩ welcome', 'unit number: nothing → otherwise']);
    expect(edges.some((e) => e.from === 'words')).toBe(false);
  });

  it('has several keys to one node on one line, or in one mark', () => {
    const made = menu();
    const ask = made.nodes[0]!;
    if (ask.step === 'gather') ask.choices[1]!.next = 'emergency';
    expect(draw(made).edges.find((e) => e.to === 'emergency')!.label).toBe('1, 2');
    if (ask.step === 'gather') ask.choices[1]!.next = 'welcome';
    expect(draw(made).marks.map((m) => m.label)).toContain('2, 9');
  });

  it('leads on by the number that a node asks for', () => {
    const made = menu();
    const first = asStep(made.nodes[0]!, 'digits');
    if (first.step === 'digits') Object.assign(first, { label: 'policy number', next: 'emergency' });
    made.nodes[0] = first;
    const drawn = draw(made).edges.filter((e) => e.from === 'welcome').map((e) => `${e.label}-${named(e.to)}`);
    expect(drawn).toEqual(['number-emergency', 'nothing-else']);
  });

  it('shows what nobody comes to and what is not there', () => {
    const made = menu();
    made.nodes.push(out('lost'));
    const ask = made.nodes[0]!;
    if (ask.step === 'gather') ask.choices[0]!.next = 'gone';
    const { boxes, width } = draw(made);
    expect(boxes.find((b) => b.id === 'gone')!.at).toBe(-2);
    const lost = boxes.find((b) => b.id === 'lost')!;
    expect(lost.at).toBe(3);
    expect(lost.x).toBe(Math.max(...boxes.map((b) => b.x)));
    expect(lost.x).toBeLessThan(width);
  });
});

interface Rect {
  what: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const apart = (a: Rect, b: Rect) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

/** Where a line is, point by point. */
function points(path: string): [number, number][] {
  const [x0, y0, x1, y1, x2, y2, x3, y3, end] = path.match(/-?[\d.]+/g)!.map(Number) as [number, number, number, number, number, number, number, number, number];
  const bent = Array.from({ length: 41 }, (_, n): [number, number] => {
    const t = n / 40;
    const at = (a: number, b: number, c: number, d: number) => (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t ** 3 * d;
    return [at(x0, x1, x2, x3), at(y0, y1, y2, y3)];
  });
  return [...bent, ...Array.from({ length: 21 }, (_, n): [number, number] => [x3 + ((end - x3) * n) / 20, y3])];
}

/** A mark is indented, and not that wide. */
const MARK_OVER = 10;

/** Everything that is in the way of something else. */
function clashes({ boxes, edges, marks, width, height }: Drawing): string[] {
  const drawn: Rect[] = [
    ...boxes.map((b) => ({ what: `box ${b.id}`, left: b.x, right: b.x + BOX.width, top: b.y, bottom: b.y + b.height })),
    ...edges.filter((e) => e.label).map((e) => ({ what: `label ${e.from} ${e.label}`, left: e.x - labelWidth(e.label), right: e.x, top: e.y - 12, bottom: e.y + 2 })),
    ...marks.map((m) => ({ what: `mark ${m.from} ${m.words}`, left: m.x, right: m.x + BOX.width, top: m.y - 11, bottom: m.y + 3 })),
  ];
  const found: string[] = [];
  drawn.forEach((one, n) => {
    for (const other of drawn.slice(n + 1)) if (!apart(one, other)) found.push(`${one.what} on ${other.what}`);
    if (one.left < 0 || one.right > width + MARK_OVER || one.top < 0 || one.bottom > height) found.push(`${one.what} beyond the edge`);
  });
  for (const edge of edges) {
    const inside = drawn.filter((r) => points(edge.path).some(([x, y]) => x > r.left + 1 && x < r.right - 1 && y > r.top && y < r.bottom));
    // Its own label stands above the line.
    for (const r of inside) found.push(`line ${edge.from}-${named(edge.to)} through ${r.what}`);
  }
  return found;
}

/** A menu by chance, the same for the same seed. */
function byChance(seed: number): Menu {
  let state = seed;
  const below = (n: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * n);
  };
  const count = 2 + below(9);
  const any = () => `n${below(count)}`;
  const node = (n: number): MenuNode => {
    const id = `n${n}`;
    switch (below(4)) {
      case 0:
        return out(id);
      case 1:
        return says(id, any());
      case 2:
        return { id, step: 'branch', on: { is: 'withheld' }, then: any(), otherwise: any() };
      default:
        return asks(id, Array.from({ length: 1 + below(6) }, any), below(2) === 0 ? null : any());
    }
  };
  return of(asks('n0', Array.from({ length: 1 + below(6) }, any)), ...Array.from({ length: count - 1 }, (_, n) => node(n + 1)));
}

describe('the geometry', () => {
  it('has no words, box or line in the way of another, of a menu with a way back', () => {
    expect(clashes(draw(withWordsBack()))).toEqual([]);
    expect(clashes(draw(menu()))).toEqual([]);
  });

  it('holds for many into one, and for long labels', () => {
    const middle = Array.from({ length: 6 }, (_, n) => `m${n}`);
    const made = of(asks('start', middle), ...middle.map((id) => asks(id, ['end', 'end', 'end', 'end', 'end', 'end'], 'end')), out('end'));
    const drawing = draw(made);
    expect(drawing.edges.filter((e) => e.to === 'end')).toHaveLength(6);
    expect(drawing.boxes.find((b) => b.id === 'end')!.height).toBeGreaterThan(BOX.height);
    expect(clashes(drawing)).toEqual([]);
  });

  it('holds for menus by chance', () => {
    for (let seed = 1; seed <= 300; seed += 1) expect(clashes(draw(byChance(seed))), `seed ${seed}`).toEqual([]);
  });

  it('ends though a menu goes round', () => {
    const round = Array.from({ length: 20 }, (_, n) => says(`n${n}`, `n${(n + 1) % 20}`));
    expect(clashes(draw(of(...round)))).toEqual([]);
    expect(clashes(draw(of(out('alone'), ...round)))).toEqual([]);
  });
});
