// The calendar of one account, live: what is shown, who is on call now, and what was changed here, to be taken back step by step.

import { untrack } from 'svelte';
import { Problem } from '../lib/api';
import { awaited, madeBy, swapped, type Lost } from '../lib/lostChange';
import { changeOf, planMade, type LostImport } from '../lib/lostImport';
import { notDone } from '../lib/notDone';
import { planBack, type Planned } from '../lib/drag';
import { schedules, type Calendar, type Doors, type Duty, type Override, type Schedule, type ScheduleEdit, type Schedules, type Seen, type Shift } from '../lib/schedule';
import { seenIn, touched } from '../lib/seen';
import { coloursOf, extentOf, linesOf, names, turn, type Extent, type View } from '../lib/spans';
import type { Cut } from '../lib/temporary';
import { did, without, type Steps } from '../lib/undo';
import { dateOf } from '../lib/wall';
import { clock } from '../state/clock.svelte';
import { notices } from '../state/notices.svelte';

const DAY = 86_400_000;
/** Read beyond what is shown, so that it is known who comes before and after; with it the server's hundred days are enough. */
const BEYOND: Record<View, number> = { day: 35 * DAY, week: 35 * DAY, month: 26 * DAY };

const WAITS = 'It is taken back as soon as the calendar has been read again.';

export class Roster {
  view = $state<View>('week');
  date = $state('');
  whole = $state.raw<Schedules | null>(null);
  calendars = $state.raw<Calendar[]>([]);
  duties = $state.raw<Duty[]>([]);
  fault = $state('');
  /** What is on its way to the server. */
  sending = $state(false);
  steps = $state.raw<Steps>([]);
  /** Changes whose answer was lost, until it is seen whether they were made. */
  private lost: Lost[] = [];
  /** An import whose answer was lost, and what is done once it is seen to be there. */
  private lostImport: { lost: LostImport; found: () => void } | null = null;
  /** Asked to take back what is still on its way. */
  private wished = false;
  private takingBack = false;
  private asked = 0;
  private newest: Promise<void> = Promise.resolve();

  readonly people = $derived.by(() => this.whole?.people ?? []);
  readonly colours = $derived.by(() => coloursOf(this.people));
  readonly zone = $derived.by(() => this.whole?.zone ?? 'UTC');
  /** The first that would be taken back now. */
  readonly last = $derived(this.steps.at(-1) ?? null);

  /** `doors`: the desk's, or a client's, who then neither writes nor removes whole schedules. */
  constructor(
    readonly account: string,
    readonly doors: Doors = schedules,
  ) {}

  /** Whole schedules, and temporary ones, are the desk's to write. */
  get writes(): boolean {
    return this.doors === schedules;
  }

  /** Reads all of it anew. Whoever is overtaken by another reading waits for that one: what is shown afterwards is as new. */
  async load(): Promise<void> {
    let reading = (this.newest = this.read());
    for (await reading; reading !== this.newest; await reading) reading = this.newest;
  }

  private async read(): Promise<void> {
    const turnOfAsking = ++this.asked;
    try {
      const whole = await this.doors.all(this.account);
      if (turnOfAsking !== this.asked) return;
      if (!this.date) this.date = dateOf(untrack(() => clock.now), whole.zone);
      const extent = extentOf(linesOf(this.view, this.date, whole.zone));
      const beyond = BEYOND[this.view];
      const [calendar, duties] = await Promise.all([
        this.doors.calendar(this.account, extent.from - beyond, extent.until + beyond),
        this.doors.onCall(this.account),
      ]);
      if (turnOfAsking !== this.asked) return;
      this.whole = whole;
      this.calendars = calendar.items;
      this.duties = duties.items;
      this.fault = '';
      this.findLost();
      await this.findImport();
    } catch (error) {
      if (turnOfAsking === this.asked) this.fault = (error as Error).message;
    }
  }

  show(view: View, date: string): void {
    this.view = view;
    this.date = date;
    void this.load();
  }

  page(by: 1 | -1): void {
    this.show(this.view, turn(this.view, this.date, by));
  }

  today(): void {
    this.show(this.view, dateOf(clock.now, this.zone));
  }

  name(id: string): string {
    return names([id], this.people);
  }

  schedule(id: string | null): Schedule | null {
    return this.whole?.items.find((s) => s.id === id) ?? null;
  }

  /** What a drag or a key came to: it counts at once, and can be taken back. */
  async carryOut(calendar: Calendar, planned: Planned): Promise<boolean> {
    if ('refused' in planned) {
      if (planned.refused) notices.show(planned.refused, 'info');
      return false;
    }
    const id = calendar.schedule;
    if (!id) return false;
    return this.doesSeen(planned.words, calendar, touched(calendar, planned), planned, async (seen) => {
      const changed = await this.doors.change(this.account, id, { seen, remove: planned.remove, add: planned.add });
      return changed.overrides.slice(changed.overrides.length - planned.add.length);
    });
  }

  async swap(calendar: Calendar, one: Shift, other: Shift): Promise<boolean> {
    const id = calendar.schedule;
    if (!id) return false;
    const words = `${this.name(one.contact)} and ${this.name(other.contact)} swapped`;
    return this.doesSeen(words, calendar, [one, other], { remove: [], add: swapped(one, other) }, async (seen) => {
      const before = new Set(this.schedule(id)?.overrides.map((o) => o.id));
      const changed = await this.doors.swap(this.account, id, { one, other, seen });
      return changed.overrides.filter((o) => !before.has(o.id));
    });
  }

  /** A schedule as it was written; a new one where there was none. Throws a `Problem` if it was refused. */
  async save(before: Schedule | null, edit: ScheduleEdit): Promise<void> {
    const edition = this.whole?.edition ?? 0;
    if (!before) {
      const made = await schedules.add(this.account, { ...edit, edition });
      this.pushChange(`Schedule of the ${edit.role} made`, made.id, made.change);
      return;
    }
    const changed = await schedules.put(before.id, { ...edit, edition });
    this.pushChange(`Schedule of the ${edit.role} changed`, before.id, changed.change);
  }

  async remove(schedule: Schedule): Promise<boolean> {
    const words = `Schedule of the ${schedule.role} removed`;
    return this.does(words, async () => {
      await schedules.remove(schedule.id, this.whole?.edition ?? 0);
      this.push(words, async () => {
        const { edition, items } = await this.doors.all(this.account);
        // Somebody has put it back since: the last change is theirs.
        if (items.some((s) => s.id === schedule.id)) throw new Problem(409, 'schedule.changed_since', 'Somebody has changed this since: nothing was taken back.');
        await schedules.undo(schedule.id, { edition });
      });
    });
  }

  /** A time taken out of a temporary schedule. */
  async cut(schedule: Schedule, cut: Cut): Promise<boolean> {
    if ('refused' in cut) {
      notices.show(cut.refused, 'info');
      return false;
    }
    const { words, from, until } = cut;
    return this.does(words, async () => {
      const changed = await schedules.cut(schedule.id, { edition: this.whole?.edition ?? 0, from, until });
      this.pushChange(words, schedule.id, changed.change);
    });
  }

  /** What was imported is one change of the server's, and taken back as one. */
  imported(words: string, schedule: string, change: number | null): void {
    // It was sent once more, and this is its answer.
    this.lostImport = null;
    this.pushChange(words, schedule, change);
    void this.load();
  }

  /** Its answer was lost: what is read from now on says whether it was made. */
  importLost(lost: LostImport, found: () => void): void {
    this.lostImport = { lost, found };
    void this.load();
  }

  async undo(): Promise<void> {
    if (this.sending) {
      // Pressed twice it is one step that is meant.
      this.wished ||= !this.takingBack;
      notices.show(this.takingBack ? 'It is being taken back.' : WAITS, 'info');
      return;
    }
    const last = this.steps.at(-1);
    if (!last) return;
    this.takingBack = true;
    try {
      // What could not be asked for is still there to be taken back; what was refused never will be. As the calendar is read
      // again by then, a change whose answer was lost may have come to the steps.
      if ((await this.attempt(`Taken back: ${last.words}`, last.back)) !== 'unreached') this.steps = without(this.steps, last);
    } finally {
      this.takingBack = false;
    }
  }

  /** What was asked to be taken back while it was on its way. If nothing came of it, what was there before stays. */
  private takeWished(before: Steps): void {
    if (this.sending || !this.wished) return;
    this.wished = false;
    if (this.steps !== before) void this.undo();
  }

  /** A change of overrides as of what was seen. It is taken back as of what it left there: neither goes over somebody else's. */
  private async doesSeen(
    words: string,
    calendar: Calendar,
    times: readonly Extent[],
    sent: Pick<Lost, 'remove' | 'add'>,
    work: (seen: Seen[]) => Promise<readonly Override[]>,
  ): Promise<boolean> {
    const id = calendar.schedule;
    if (!id) return false;
    const before = new Set(this.schedule(id)?.overrides.map((o) => o.id));
    const lost: Lost = { words, schedule: id, at: clock.now, times, remove: sent.remove, add: sent.add, before };
    let left: Seen[] = [];
    const steps = this.steps;
    const outcome = await this.attempt(
      words,
      async () => {
        const made = await work(seenIn(calendar, times));
        this.pushSeen(words, id, sent.remove, made, () => left);
      },
      lost,
    );
    // Where it could not be read again nobody knows what was left, and nothing is said of it.
    const after = this.fault ? undefined : this.calendars.find((c) => c.schedule === id);
    if (outcome === 'done' && after) left = seenIn(after, times);
    this.takeWished(steps);
    // Its answer was lost, and what was read since has it.
    return outcome === 'done' || (outcome === 'unreached' && this.steps !== steps);
  }

  private pushSeen(words: string, schedule: string, remove: readonly string[], made: readonly Override[], left: () => Seen[]): void {
    const back = planBack({ remove: [...remove] }, made);
    this.push(words, async () => void (await this.doors.change(this.account, schedule, { ...back, seen: left() })));
  }

  /** Changes whose answer was lost and that were made all the same: they can be taken back as those that were answered. */
  private findLost(): void {
    for (const lost of this.lost) {
      const made = madeBy(lost, this.schedule(lost.schedule)?.overrides ?? []);
      const calendar = this.calendars.find((c) => c.schedule === lost.schedule);
      if (!made || !calendar || !this.lost.includes(lost)) continue;
      const left = seenIn(calendar, lost.times);
      this.pushSeen(lost.words, lost.schedule, lost.remove, made, () => left);
      this.forgetLost(lost.words);
      notices.show(`${lost.words}: it was made, though its answer was lost. It can be taken back.`, 'info');
    }
    // Whatever the line was like since: what is still not there now never will be.
    this.lost = awaited(this.lost, clock.now);
  }

  /** An import whose answer was lost and that was made all the same: it can be taken back as one that was answered. */
  private async findImport(): Promise<void> {
    const waiting = this.lostImport;
    const made = waiting && planMade(waiting.lost, this.whole?.items ?? []);
    if (!waiting) return;
    if (!made) {
      if (awaited([waiting.lost], clock.now).length === 0) this.lostImport = null;
      return;
    }
    const { items } = await this.doors.history(this.account);
    // Another reading was here first.
    if (this.lostImport !== waiting) return;
    this.lostImport = null;
    const change = changeOf(made.schedule, made.plan, items);
    this.pushChange(waiting.lost.words, made.schedule, change);
    waiting.found();
    notices.show(`${waiting.lost.words}: it was done, though its answer was lost.${change === null ? '' : ' It can be taken back.'}`, 'info');
  }

  /** The same pressed again is one change. */
  private forgetLost(words: string): void {
    this.lost = this.lost.filter((one) => one.words !== words);
  }

  private push(words: string, back: () => Promise<void>): void {
    this.steps = did(this.steps, { words, back });
  }

  /** A change of the server's history, taken back by its name: not while anybody's work lies on it. */
  private pushChange(words: string, schedule: string, change: number | null): void {
    if (change !== null) this.push(words, async () => void (await this.doors.undoChange(this.account, schedule, change)));
  }

  private async does(words: string, work: () => Promise<unknown>): Promise<boolean> {
    const before = this.steps;
    const outcome = await this.attempt(words, work);
    this.takeWished(before);
    return outcome === 'done';
  }

  /** `lost`: what is looked for afterwards, should its answer not come. */
  private async attempt(words: string, work: () => Promise<unknown>, lost?: Lost): Promise<'done' | 'refused' | 'unreached'> {
    if (this.sending) {
      notices.show('The change before is still on its way: try again in a moment.', 'info');
      return 'unreached';
    }
    this.sending = true;
    this.wished = false;
    try {
      await work();
      this.forgetLost(words);
      notices.say(`${words}.`);
      return 'done';
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      notices.show(notDone(error));
      if (error.offline && lost) this.lost.push(lost);
      return error.offline ? 'unreached' : 'refused';
    } finally {
      await this.load();
      this.sending = false;
    }
  }
}
