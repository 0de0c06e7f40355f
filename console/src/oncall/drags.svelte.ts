// A shift in the hand: by the pointer or by the keys, and where it would come to rest. Knows the page's elements by their data
// attributes alone: `data-n` (a shift of the result), `data-grip` (its edge), `data-person` (somebody's line), `data-line`.

import { drawn, edgesOf, nudged, restAt, type Grip } from '../lib/drag';
import type { Calendar } from '../lib/schedule';
import { extentOf, type Extent, type View } from '../lib/spans';
import type { Day } from '../lib/wall';

/** A hand that trembles drags nothing. */
const THRESHOLD_PX = 5;

export interface InHand {
  /** The shift; null: a new one is drawn on somebody's line. */
  n: number | null;
  grip: Grip;
  to: Extent;
  /** Who shall have it, where it is over the line of somebody else or drawn on theirs. */
  whose: string | null;
  /** On whose line it was taken up. */
  from: string | null;
}

interface Pressed {
  pointer: number;
  x: number;
  y: number;
  n: number | null;
  grip: Grip;
  person: string | null;
  /** The time under the pointer, and how long a pixel is. */
  at: number;
  perPixel: number;
  moved: boolean;
}

const part = (target: EventTarget | null, what: string) => (target instanceof Element ? target.closest<HTMLElement>(`[data-${what}]`) : null);

export class Drags {
  inHand = $state.raw<InHand | null>(null);
  /** Taken up by a key: the arrows move it until Enter or Escape. */
  byKeys = $state(false);
  private pressed: Pressed | null = null;

  constructor(
    private readonly calendar: () => Calendar,
    private readonly lines: () => Day[][],
    private readonly view: () => View,
  ) {}

  /** A press on a shift, its edge, or the free part of somebody's line. */
  press(event: PointerEvent): void {
    if (event.button !== 0 || !event.isPrimary) return;
    const track = part(event.target, 'line');
    const person = part(event.target, 'person')?.dataset.person ?? null;
    const shift = part(event.target, 'n');
    if (!track || (!shift && person === null)) return;
    const box = track.getBoundingClientRect();
    const line = extentOf([this.lines()[Number(track.dataset.line)]!]);
    const perPixel = (line.until - line.from) / Math.max(1, box.width);
    this.drop();
    this.pressed = {
      pointer: event.pointerId,
      x: event.clientX,
      y: event.clientY,
      n: shift ? Number(shift.dataset.n) : null,
      grip: (part(event.target, 'grip')?.dataset.grip as Grip | undefined) ?? 'body',
      person,
      at: line.from + (event.clientX - box.left) * perPixel,
      perPixel,
      moved: false,
    };
  }

  /** True once something is dragged. */
  move(event: PointerEvent): boolean {
    const pressed = this.pressed;
    if (!pressed || pressed.pointer !== event.pointerId) return false;
    const [dx, dy] = [event.clientX - pressed.x, event.clientY - pressed.y];
    if (!pressed.moved && Math.hypot(dx, dy) < THRESHOLD_PX) return false;
    if (!pressed.moved) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    pressed.moved = true;
    const { zone, final } = this.calendar();
    const by = dx * pressed.perPixel;
    const edges = edgesOf({ final });
    if (pressed.n === null) {
      const [a, b] = [pressed.at, pressed.at + by].map((time) => restAt(time, edges, pressed.perPixel, this.view(), zone)) as [number, number];
      this.inHand = { n: null, grip: 'end', to: { from: Math.min(a, b), until: Math.max(a, b) }, whose: pressed.person, from: pressed.person };
      return true;
    }
    const span = final[pressed.n];
    if (!span) return false;
    const below = part(document.elementFromPoint(event.clientX, event.clientY), 'person')?.dataset.person ?? null;
    const whose = pressed.grip === 'body' && below !== null && below !== pressed.person && !span.people.includes(below) ? below : null;
    // Over somebody's line it is theirs for its own time: a hand does not move straight.
    const to = whose ? { from: span.from, until: span.until } : drawn(span, pressed.grip, by, edges, pressed.perPixel, this.view(), zone);
    this.inHand = { n: pressed.n, grip: pressed.grip, to, whose, from: pressed.person };
    return true;
  }

  /** What was let go of, if it was dragged. */
  release(event: PointerEvent): InHand | null {
    const pressed = this.pressed;
    if (!pressed || pressed.pointer !== event.pointerId) return null;
    this.pressed = null;
    const held = pressed.moved ? this.inHand : null;
    this.inHand = null;
    return held;
  }

  drop(): void {
    this.pressed = null;
    this.inHand = null;
    this.byKeys = false;
  }

  /** Shift `n` in the hand, for the arrows. */
  take(n: number): void {
    const span = this.calendar().final[n];
    if (!span) return;
    this.pressed = null;
    this.byKeys = true;
    this.inHand = { n, grip: 'body', to: { from: span.from, until: span.until }, whose: null, from: null };
  }

  nudge(grip: Grip, steps: number): void {
    const held = this.inHand;
    if (!this.byKeys || !held) return;
    this.inHand = { ...held, grip, to: nudged(held.to, grip, steps, this.view(), this.calendar().zone), whose: null };
  }

  /** To the next of `people`, or back to whose it is. */
  pass(by: number, people: readonly string[]): void {
    const held = this.inHand;
    const span = held?.n != null ? this.calendar().final[held.n] : undefined;
    if (!this.byKeys || !held || !span) return;
    const choices = [null, ...people.filter((id) => !span.people.includes(id))];
    const at = choices.indexOf(held.whose);
    const whose = choices[(at + by + choices.length) % choices.length] ?? null;
    this.inHand = { ...held, grip: 'body', to: { from: span.from, until: span.until }, whose };
  }
}
