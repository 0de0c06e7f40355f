// The forms being filled in: one per call, kept as drafts, saved as messages, taken back within the undo time.

import { SvelteMap } from 'svelte/reactivity';
import { alsoAnswers, alsoTaken, leavesProtection, mayBeProtected, weighed, type Also } from '../lib/also';
import { Problem, api } from '../lib/api';
import { Bin, type Thrown } from '../lib/bin';
import { filledIn } from '../lib/chosen';
import { DraftSaver, DraftShelf, draftBody, fromServer, isUnsaved, joined, mergeDrafts, newDraft, type Draft } from '../lib/draft';
import { answersFor, checkField, checkForm, hasContent, isSensitive, mayGoAsIs, shownFields, type Asked } from '../lib/form';
import { readNumber } from '../lib/phone';
import { LATE_READS_MS, lateWords } from '../lib/lateWords';
import { shaped } from '../lib/shape';
import { findMet, grade } from '../lib/triggers';
import type { Account, Answers, CallType, CallView, DraftBody, Field, FieldError, Form, Grading, MessageView, Trigger } from '../lib/types';
import { accounts } from './accounts.svelte';
import { clock } from './clock.svelte';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';

/** A form that is no longer on the screen and can still be had back, with what is in no draft. */
export interface Whole {
  draft: Draft;
  secrets: Answers | undefined;
  reason: string | undefined;
}

export interface Saved extends Whole {
  message: MessageView;
  undo_until: number | null;
}

class Forms {
  drafts = $state<Draft[]>([]);
  /** Faults shown, by draft, by field. */
  faults = new SvelteMap<string, Record<string, string>>();
  /** Drafts that are on their way to become a message. */
  saving = $state<string[]>([]);
  /** Forms thrown away that can still be had back, the last one last. */
  thrown = $state.raw<Thrown<Whole>[]>([]);
  /** Messages saved on calls that are still here, by call. */
  saved = new SvelteMap<string, Saved>();
  lastSaved = $state<Saved | null>(null);
  /** Sensitive answers by draft: in this page's memory alone, never in a draft. */
  secrets = new SvelteMap<string, Answers>();
  /** What she left out of what was also taken, by draft. */
  leftOut = new SvelteMap<string, Answers>();
  /** Why the urgency is another than by the client's list, by draft. */
  reasons = new SvelteMap<string, string>();
  /** Drafts whose reason was missing when they were to be saved. */
  reasonMissing = new SvelteMap<string, true>();
  /** Urgent drafts of which she was told that answers are not written as asked: saved again they go as they are. */
  asIs = new SvelteMap<string, true>();
  /** False while the server has not taken the last change of some draft. */
  keptHere = $state(false);

  private readonly bin = new Bin<Whole>(
    ({ draft }) => {
      this.shelf?.drop(draft.id);
      void api.deleteDraft(draft.id).catch(() => undefined);
    },
    (thrown) => (this.thrown = thrown),
  );
  private shelf: DraftShelf | null = null;
  private readonly savers = new Map<string, DraftSaver>();
  private readonly touched = new Set<string>();
  /** What stood in forms as they went along to her, by draft. */
  private readonly adopted = new Map<string, Answers>();
  /** Calls whose form is asked for, as it may be a colleague's. */
  private readonly adopting = new Set<string>();
  /** Drafts that stand beside one begun elsewhere, as that cannot come here. */
  private readonly meant = new Set<string>();
  /** Idempotency keys: a save repeated after a lost answer must not make two messages. */
  private readonly keys = new Map<string, string>();

  readonly undoable = $derived(
    this.lastSaved && this.lastSaved.undo_until !== null && this.lastSaved.undo_until > clock.now ? this.lastSaved : null,
  );

  /** After log-in: what was being typed before comes back. */
  async restore(user: string): Promise<void> {
    this.shelf = new DraftShelf(localStorage, user);
    const local = this.shelf.list();
    let merged: Draft[];
    try {
      merged = mergeDrafts((await api.drafts()).items, local);
      for (const draft of local) if (!merged.some((d) => d.id === draft.id)) this.shelf.drop(draft.id);
    } catch {
      merged = local;
    }
    // What she began while this was loading stays as it is.
    const started = new Set([...this.drafts, ...this.thrown.map((t) => t.what.draft)].map((d) => d.id));
    const calls = new Set(this.drafts.flatMap((d) => (d.call && hasContent(d.answers) ? [d.call] : [])));
    const restored = merged.filter((d) => !started.has(d.id) && !(d.call && calls.has(d.call)));
    const replaced = new Set(restored.flatMap((d) => d.call ?? []));
    this.drafts = [...restored, ...this.drafts.filter((d) => !(d.call && replaced.has(d.call)))];
    for (const draft of this.drafts) {
      if (isUnsaved(draft)) this.saver(draft.id).touch();
      void accounts.want(draft.account);
    }
  }

  clear(): void {
    for (const saver of this.savers.values()) saver.stop();
    this.savers.clear();
    this.adopted.clear();
    this.meant.clear();
    this.bin.forget();
    this.drafts = [];
    this.faults.clear();
    this.secrets.clear();
    this.leftOut.clear();
    this.reasons.clear();
    this.reasonMissing.clear();
    this.asIs.clear();
    this.saved.clear();
    this.lastSaved = null;
    this.shelf = null;
  }

  ofCall(call: string): Draft | undefined {
    return this.drafts.find((d) => d.call === call);
  }

  find(id: string): Draft | undefined {
    return this.drafts.find((d) => d.id === id);
  }

  /** The form of a call, begun if there is none yet. */
  open(call: CallView): Draft {
    const found = this.ofCall(call.id);
    if (found) return found;
    this.drafts.push(newDraft(call.account.id, call.id, call.caller, clock.now, call.call_type));
    return this.drafts[this.drafts.length - 1]!;
  }

  /** A form for an account that nobody calls for: a message taken by mail, at the door, or late. */
  begin(account: { id: string }): Draft {
    this.drafts.push(newDraft(account.id, null, null, clock.now));
    return this.drafts[this.drafts.length - 1]!;
  }

  /** The form that another operator began on this call, which is ours now. Words typed here meanwhile stay. */
  async adopt(call: CallView): Promise<void> {
    this.adopting.add(call.id);
    const theirs = await api.takeForm(call.id).catch(() => undefined);
    this.adopting.delete(call.id);
    if (!theirs || this.find(theirs.id)) return;
    const ours = this.ofCall(call.id);
    if (ours && !hasContent(ours.answers)) this.remove(ours.id);
    this.drafts.push(fromServer(theirs));
    const before = { ...theirs.answers };
    this.adopted.set(theirs.id, before);
    for (const ms of LATE_READS_MS) setTimeout(() => void this.readLate(theirs.id, before), ms);
    if (hasContent(theirs.answers)) notices.say('The form begun before is here.');
    // Begun, perhaps, before the call turned out to be for another account.
    await this.changeAccount(call);
  }

  /** The form of a call as it was begun, or written on, in another browser of hers. Words typed here meanwhile are joined to it: it is
   * one form, here and there. `nothing`: the server was asked, and there is none that could come. */
  async takeIn(call: string): Promise<'nothing' | void> {
    const was = this.ofCall(call);
    const [revision, acknowledged] = [was?.revision, was?.acknowledged];
    const items = (await api.drafts().catch(() => undefined))?.items;
    const view = desk.mine.find((c) => c.id === call);
    // By then it is hers on the server, whoever began it.
    if (!items || this.adopting.has(call)) return;
    if (!view) return 'nothing';
    const ours = this.ofCall(call);
    const same = ours && items.find((d) => d.id === ours.id);
    if (ours && same) {
      // Nothing was typed or saved here since it was asked for: what the server has is the newest.
      if (!isUnsaved(ours) && ours.revision === revision && ours.acknowledged === acknowledged) {
        // What the server never keeps stays: it is in this browser alone.
        ours.answers = { ...ours.answers, ...same.answers };
        ours.call_type = same.call_type ?? ours.call_type;
        ours.caller = same.caller ?? ours.caller;
        const { apart } = fromServer(same);
        if (apart) ours.apart = apart;
        else delete ours.apart;
      }
      return;
    }
    const theirs = items.find((d) => d.call === call && !this.find(d.id) && !this.wasHere(d.id));
    if (!theirs) return 'nothing';
    // Where both are on the server, or what was typed here would leave in clear there, the second stands by itself.
    const merges = ours && ours.acknowledged === 0 && this.goesInto(ours, fromServer(theirs));
    const draft = joined(fromServer(theirs), merges ? $state.snapshot(ours) : undefined);
    if (merges) {
      const [secrets, reason] = [this.secrets.get(ours.id), this.reasons.get(ours.id)];
      this.remove(ours.id);
      if (secrets) this.secrets.set(draft.id, secrets);
      if (reason) this.reasons.set(draft.id, reason);
    }
    this.drafts.push(draft);
    if (isUnsaved(draft)) {
      this.shelf?.keep(draft);
      this.saver(draft.id).touch();
    }
    if (hasContent(draft.answers)) notices.say('The form begun in your other browser is here.');
    await this.changeAccount(view);
  }

  /** What was typed in a form is as well kept in another: none of it leaves the protection of its call type. */
  private goesInto(ours: Draft, theirs: Draft): boolean {
    if (!hasContent(ours.answers)) return true;
    const account = accounts.find(theirs.account);
    const [from, to] = [this.callType(ours, account), this.callType(theirs, account)];
    return ours.account === theirs.account && from !== undefined && to !== undefined && !leavesProtection(from, to);
  }

  /** It was thrown away here, or saved: what the server said a moment ago does not bring it back. */
  private wasHere(id: string): boolean {
    const gone = [...this.thrown.map((t) => t.what.draft), ...[...this.saved.values()].map((s) => s.draft)];
    return gone.some((d) => d.id === id) || this.lastSaved?.draft.id === id;
  }

  /** Another form of its call is in this browser too, so that both are meant. */
  private isBeside(id: string): boolean {
    if (this.meant.has(id)) return true;
    const call = this.find(id)?.call;
    const known = [...this.drafts, ...this.thrown.map((t) => t.what.draft)];
    return Boolean(call) && known.some((d) => d.call === call && d.id !== id);
  }

  /** A form that was left, whoever began it: it is here from now on. */
  async takeLeft(id: string): Promise<Draft> {
    const here = this.find(id);
    if (here) return here;
    this.drafts.push(fromServer(await api.takeDraft(id)));
    return this.drafts[this.drafts.length - 1]!;
  }

  /** The call is for another account: its form opens, with what was typed where the names of fields match. */
  async changeAccount(call: CallView, draft = this.ofCall(call.id)): Promise<void> {
    if (!draft || draft.account === call.account.id) return;
    const from = this.callType(draft, accounts.find(draft.account));
    draft.account = call.account.id;
    draft.call_type = null;
    draft.cursor = null;
    // Before the account is read, and where it cannot be, nobody knows whether these words leave in clear there.
    if (mayBeProtected(from)) this.markApart(draft, from);
    this.faults.delete(draft.id);
    this.changed(draft);
    await accounts.want(call.account.id, true);
    // Saved or thrown away meanwhile, or of yet another account.
    if (!this.find(draft.id) || draft.account !== call.account.id) return;
    const account = accounts.find(call.account.id);
    const type = this.callType(draft, account);
    if (draft.apart && type?.protected) {
      delete draft.apart;
      this.changed(draft);
    }
    if (account && type && this.also(draft, type, account).length > 0) notices.show('Some of what was typed has no field in this form: it stands below it, and goes with the message.', 'info');
  }

  /** What was typed for a call is on the server, if it can be reached. */
  async flushed(call: string): Promise<void> {
    // A save that is under way may be of older words; one that cannot be made is not waited for long.
    for (let tries = 0; tries < 10; tries++) {
      const draft = this.ofCall(call);
      if (!draft || !isUnsaved(draft)) return;
      await this.saver(draft.id).flush();
      if (isUnsaved(draft)) await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Whoever had the form typed on while it went along: their last words come after it. Once it was saved here, none do. */
  private async readLate(id: string, before: Answers): Promise<void> {
    const isUntouched = () => this.find(id)?.acknowledged === 1;
    if (!isUntouched()) return;
    const server = (await api.drafts().catch(() => undefined))?.items.find((d) => d.id === id);
    const draft = this.find(id);
    if (!server || !draft || !isUntouched()) return;
    const late = lateWords(before, server.answers, draft.answers);
    if (Object.keys(late).length === 0) return;
    // With the form that they are of, or where another was chosen here meanwhile, left out of that until somebody puts them in.
    const theirs = fromServer(server);
    if (draft.revision === 1) draft.call_type = theirs.call_type;
    const isSame = draft.account === theirs.account && draft.call_type === theirs.call_type;
    const ofAnother = isSame ? [] : Object.keys(late);
    const apart = { ...theirs.apart, ...Object.fromEntries(ofAnother.map((name) => [name, 'The form before'])) };
    if (Object.keys(apart).length > 0) draft.apart = { ...draft.apart, ...apart };
    Object.assign(draft.answers, late);
    Object.assign(before, late);
    notices.say('The last words of whoever had the form have come into it.');
  }

  /** What is first put here of a form that went along has the last words of whoever had it: it is written over theirs. */
  private async withLate(id: string, body: DraftBody): Promise<DraftBody> {
    const before = this.adopted.get(id);
    if (!before || this.find(id)?.acknowledged !== 1) return body;
    await this.readLate(id, before);
    const draft = this.find(id);
    // Saved or thrown away meanwhile: it is not to be there again.
    if (!draft) throw new Error('The form is gone.');
    return draftBody(draft);
  }

  /** Forms that went along to other operators. One with words the server never took stays: nothing typed is lost. */
  letGo(calls: CallView[], me: string | undefined): void {
    const elsewhere = new Set(calls.filter((c) => c.seat !== null && c.seat !== me && c.state !== 'offered' && c.state !== 'ended').map((c) => c.id));
    for (const draft of this.drafts) if (draft.call && elsewhere.has(draft.call) && !isUnsaved(draft)) this.remove(draft.id);
  }

  /** Forms that stand at no call, and which still hold words; `live`: every call that goes on, whoever has it. */
  leftOver(live: CallView[]): Draft[] {
    const calls = new Set(live.filter((c) => c.state !== 'ended').map((c) => c.id));
    // One without a call is here from the moment it is begun, until it is saved or thrown away. Of two on one call, as when a
    // message is taken back beside another form, the second stands by itself.
    const elsewhere = (d: Draft) => !(d.call && calls.has(d.call) && this.ofCall(d.call)?.id === d.id);
    return this.drafts.filter((d) => elsewhere(d) && (hasContent(d.answers) || d.call === null));
  }

  callType(draft: Draft, account: Account | undefined): CallType | undefined {
    return account?.call_types.find((t) => t.id === draft.call_type) ?? account?.call_types[0];
  }

  /** In what circumstances a form of this account is filled in: as it was when it was begun, so that no field leaves the screen with what
   * was typed in it as the hour turns. */
  asked(draft: Draft, account: Account | undefined): Asked {
    return { at: draft.begun_at, zone: account?.zone ?? 'UTC', people: account?.contacts.map((c) => c.name) ?? [] };
  }

  /** Everything that was typed, with what is in no draft, and what the caller entered in the menu. */
  answers(draft: Draft): Answers {
    return { ...this.entered(draft), ...draft.answers, ...this.secrets.get(draft.id) };
  }

  /** What the caller entered in the menu stands in its field until she says otherwise. Nothing is begun by that alone: it is in the
   * draft from the first word that she types. */
  private entered(draft: Draft): Answers {
    const entered = draft.call ? (desk.mine.find((c) => c.id === draft.call)?.entered ?? []) : [];
    const type = entered.length > 0 ? this.callType(draft, accounts.find(draft.account)) : undefined;
    return type ? filledIn(type.form, draft.answers, entered) : {};
  }

  fields(draft: Draft, type: CallType, account: Account): Field[] {
    return shownFields(type.form, this.answers(draft), this.asked(draft, account));
  }

  /** What of the client's list is met, if anything: for what is not urgent also by what is kept apart, so that no word of it goes unseen. */
  met(draft: Draft, type: CallType, account: Account): { type: CallType; trigger: Trigger } | null {
    const also = type.urgency === 'urgent' ? this.also(draft, type, account) : this.noField(draft, type, account);
    const { form, answers } = this.weighed(draft, type, account, also);
    return findMet(account.call_types, form, answers);
  }

  /** Whether the urgency chosen is another than by the client's list, by what is sent: the server sees no more. */
  grading(draft: Draft, type: CallType, account: Account): Grading | null {
    const { form, answers } = this.weighed(draft, type, account, this.also(draft, type, account));
    return grade(account.call_types, { ...type, form }, answers);
  }

  /** What was typed, has no field in this form and is sent with it: nothing is lost, or left unweighed, because the call type was changed. */
  also(draft: Draft, type: CallType, account: Account): Also[] {
    return this.noField(draft, type, account).filter(({ field }) => draft.apart?.[field.name] === undefined);
  }

  /** What of it was typed for a protected call type, and is left out of this one, which is not, until she puts it in. */
  apart(draft: Draft, type: CallType, account: Account): Also[] {
    return this.noField(draft, type, account).filter(({ field }) => draft.apart?.[field.name] !== undefined);
  }

  private noField(draft: Draft, type: CallType, account: Account): Also[] {
    const forms = account.call_types.map((t) => t.form);
    return alsoTaken(type.form, draft.answers, forms, this.asked(draft, account), this.answers(draft));
  }

  /** The call type is another: what was protected, and would leave in clear now, stays with the form and out of the message. */
  private keepApart(draft: Draft, from: CallType | undefined, to: CallType | undefined): void {
    if (to?.protected) delete draft.apart;
    else if (leavesProtection(from, to)) this.markApart(draft, from);
  }

  /** Every answer: one that has a field in the form at hand goes with that, and may have none in the next. */
  private markApart(draft: Draft, from: CallType | undefined): void {
    const typed = Object.keys(draft.answers).filter((name) => draft.answers[name]!.trim() !== '');
    if (typed.length > 0) draft.apart = { ...draft.apart, ...Object.fromEntries(typed.map((name) => [name, from?.name ?? 'The form before'])) };
  }

  private weighed(draft: Draft, type: CallType, account: Account, also: Also[]): { form: Form; answers: Answers } {
    return weighed(type.form, this.answers(draft), also, this.asked(draft, account));
  }

  /** What was also taken does not belong in the message; for as long as the form is here it can be put in again. */
  leaveOut(draft: Draft, field: string): void {
    this.leftOut.set(draft.id, { ...this.leftOut.get(draft.id), [field]: draft.answers[field] ?? '' });
    draft.answers[field] = '';
    this.changed(draft);
  }

  putIn(draft: Draft, field: string): void {
    draft.answers[field] = this.leftOut.get(draft.id)?.[field] ?? '';
    this.changed(draft);
  }

  /** She has read it, and it may leave in clear. */
  putInPlain(draft: Draft, field: string): void {
    delete draft.apart?.[field];
    this.changed(draft);
  }

  setReason(draft: Draft, reason: string): void {
    this.reasons.set(draft.id, reason);
    if (reason.trim()) this.reasonMissing.delete(draft.id);
  }

  setCaller(draft: Draft, typed: string): void {
    draft.caller = typed;
    this.changed(draft);
  }

  setCallType(draft: Draft, type: string): void {
    // Why it was not urgent is no reason for its being urgent.
    if (draft.call_type !== type) {
      this.reasons.delete(draft.id);
      this.reasonMissing.delete(draft.id);
    }
    const account = accounts.find(draft.account);
    const from = this.callType(draft, account);
    draft.call_type = type;
    this.keepApart(draft, from, this.callType(draft, account));
    this.faults.delete(draft.id);
    this.asIs.delete(draft.id);
    this.changed(draft);
  }

  setAnswer(draft: Draft, type: CallType, field: string, value: string): void {
    this.asIs.delete(draft.id);
    if (isSensitive(type.form.fields.find((f) => f.name === field))) {
      this.secrets.set(draft.id, { ...this.secrets.get(draft.id), [field]: value });
      this.recheck(draft, type, field, false);
      return;
    }
    draft.answers[field] = value;
    this.recheck(draft, type, field, false);
    this.changed(draft);
  }

  setCursor(draft: Draft, field: string, start: number, end: number): void {
    if (draft.cursor?.field === field && draft.cursor.start === start && draft.cursor.end === end) return;
    draft.cursor = { field, start, end };
    // A cursor alone is kept here only; it travels with the next change of words.
    this.shelf?.keep($state.snapshot(draft));
  }

  /** The field was left: from now on its fault shows as she types. */
  leave(draft: Draft, type: CallType, field: string): void {
    const answer = this.answers(draft)[field] ?? '';
    const spec = type.form.fields.find((f) => f.name === field);
    if (spec?.kind.kind === 'phone') {
      const number = readNumber(answer);
      if (number && number !== answer && answer.trim() !== '' && !isSensitive(spec)) {
        draft.answers[field] = number;
        this.changed(draft);
      }
    }
    if (spec?.kind.kind === 'text' && spec.shape && !isSensitive(spec)) {
      const found = shaped('text', spec.shape, answer.trim());
      if ('kept' in found && found.kept !== answer && answer.trim() !== '') {
        draft.answers[field] = found.kept;
        this.changed(draft);
      }
    }
    // An empty required field is not scolded for before Save: she may come back to it.
    if (answer.trim() !== '') this.recheck(draft, type, field, true);
    void this.saver(draft.id).flush();
  }

  private recheck(draft: Draft, type: CallType, field: string, leaving: boolean): void {
    const mark = `${draft.id} ${field}`;
    if (leaving) this.touched.add(mark);
    const shown = this.faults.get(draft.id) ?? {};
    if (!this.touched.has(mark) && shown[field] === undefined) return;
    const spec = type.form.fields.find((f) => f.name === field);
    const fault = spec ? checkField(spec, this.answers(draft)[field], this.asked(draft, accounts.find(draft.account))) : null;
    const next = { ...shown };
    if (fault) next[field] = fault.message;
    else delete next[field];
    this.faults.set(draft.id, next);
  }

  /** Ctrl+Enter. Returns the first field at fault, or null when it was saved. */
  async save(draft: Draft): Promise<string | null> {
    const before = this.adopted.get(draft.id);
    if (before) await this.readLate(draft.id, before);
    const account = accounts.find(draft.account);
    const type = this.callType(draft, account);
    if (this.saving.includes(draft.id)) return null;
    const call = this.callOf(draft);
    if (call && call.account.id !== draft.account) {
      await this.changeAccount(call, draft);
      notices.show(`Not saved: the call is for ${call.account.name} now. Look at its form, and press Ctrl+Enter again.`);
      return null;
    }
    if (!account || !type) {
      void accounts.want(draft.account, true);
      notices.show(account ? 'Not saved: this account has no form yet. What you typed is kept.' : 'Not saved yet: the form is still being loaded. What you typed is kept; press Ctrl+Enter again.');
      return null;
    }
    const answers = this.answers(draft);
    const also = this.also(draft, type, account);
    const faults = checkForm(type.form, answers, this.asked(draft, account));
    const asIs = this.asIs.has(draft.id) && type.urgency === 'urgent';
    if (faults.length > 0 && !(asIs && mayGoAsIs(type.urgency, faults))) return this.showFaults(draft, faults, type);
    if (draft.caller && readNumber(draft.caller) === null) {
      return this.showFaults(draft, [{ field: 'caller', code: 'phone', message: 'Not a complete telephone number: ask again, with area code.' }]);
    }
    if (this.grading(draft, type, account) && !this.reasons.get(draft.id)?.trim()) {
      this.reasonMissing.set(draft.id, true);
      notices.say('Say why the urgency is another than by the client’s list.');
      return 'reason';
    }
    const key = this.keys.get(draft.id) ?? crypto.randomUUID();
    this.keys.set(draft.id, key);
    this.saving = [...this.saving, draft.id];
    this.stopSaver(draft.id);
    try {
      const message = await api.saveMessage(
        {
          account: draft.account,
          call_type: type.id,
          call: draft.call ?? undefined,
          draft: draft.id,
          caller: draft.caller?.trim() || undefined,
          begun_at: draft.begun_at,
          answers: answersFor(type.form, answers, this.asked(draft, account)),
          also: also.length > 0 ? alsoAnswers(also) : undefined,
          reason: this.grading(draft, type, account) ? this.reasons.get(draft.id)?.trim() : undefined,
          as_is: asIs || undefined,
        },
        key,
      );
      this.becameMessage(draft, message);
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : null;
      if (problem?.offline) {
        notices.show('Not saved yet: the server cannot be reached. What you typed is kept; press Ctrl+Enter again.');
      } else {
        // The server looked at it and said no: the next try is a new one.
        this.keys.delete(draft.id);
        // Its form may have been changed since the call began.
        void accounts.want(draft.account, true);
        if (problem?.errors.some((e) => e.field === 'reason')) this.reasonMissing.set(draft.id, true);
        if (problem?.errors.length) return this.showFaults(draft, problem.errors, type);
        notices.show(`Not saved: ${problem?.message ?? 'something failed here.'}`);
      }
      this.changed(draft);
      return null;
    } finally {
      this.saving = this.saving.filter((id) => id !== draft.id);
    }
  }

  /** `type`: of an urgent one she may send as it is what is only not written as asked. */
  private showFaults(draft: Draft, faults: FieldError[], type?: CallType): string {
    const asIs = type !== undefined && mayGoAsIs(type.urgency, faults);
    if (asIs) this.asIs.set(draft.id, true);
    else this.asIs.delete(draft.id);
    const shown: Record<string, string> = {};
    for (const fault of faults) shown[fault.field] = fault.message;
    this.faults.set(draft.id, shown);
    notices.say(`${faults.length === 1 ? 'One field needs' : `${faults.length} fields need`} attention. ${faults[0]!.message}${asIs ? ' It is urgent: save once more, and it goes as it is.' : ''}`);
    return faults[0]!.field;
  }

  private becameMessage(draft: Draft, message: MessageView): void {
    const saved: Saved = { ...this.whole(draft), message, undo_until: message.dispatch?.undo_until ?? null };
    this.keys.delete(draft.id);
    this.remove(draft.id);
    if (draft.call) this.saved.set(draft.call, saved);
    this.lastSaved = saved;
    notices.say(`Message saved: ${message.call_type.name}, for ${message.account.name}.`);
    if (desk.selected === draft.id) desk.select(null);
  }

  /** Alt+Z within the undo time: what was thrown away, or saved, last is a draft again. */
  async undo(): Promise<void> {
    if (this.bringBack()) return;
    const saved = this.undoable;
    if (!saved) return;
    try {
      await api.undoMessage(saved.message.id);
    } catch (error) {
      notices.show(`It could not be taken back: ${(error as Error).message}`);
      return;
    }
    this.lastSaved = null;
    if (saved.draft.call) this.saved.delete(saved.draft.call);
    // An empty form may have been begun on the same call meanwhile.
    this.drafts = this.drafts.filter((d) => d.id !== saved.draft.id && !(d.call && d.call === saved.draft.call && !hasContent(d.answers)));
    const draft = this.putBack({ ...saved, draft: { ...saved.draft, revision: saved.draft.revision + 1 } });
    this.changed(draft);
    notices.say('Taken back. The form is open again.');
    // The call may have turned out to be for another account since.
    const call = this.callOf(draft);
    if (call) await this.changeAccount(call, draft);
  }

  /** Where a form stands: beside its call for as long as that is hers, its wrap-up included, and has no other; else by itself. */
  placeOf(draft: { id: string; call?: string | null }): string {
    const call = desk.mine.find((c) => c.id === draft.call);
    const there = call && this.ofCall(call.id);
    return call && (!there || there.id === draft.id) ? call.id : draft.id;
  }

  /** A mistake is undone, not asked about: for as long as it can be, nothing of it is gone, here or on the server. */
  throwAway(draft: Draft): void {
    this.bin.put(this.whole(draft), clock.now);
    this.takeOff(draft.id);
    if (desk.selected === draft.id) desk.select(null);
    notices.say('Thrown away. Alt+Z brings it back for ten seconds.');
  }

  /** What was thrown away last is here again. */
  private bringBack(): boolean {
    const last = this.bin.takeLast();
    if (!last) return false;
    const draft = this.putBack(last);
    const call = this.callOf(draft);
    if (call) void this.changeAccount(call, draft);
    notices.say('The form is here again.');
    return true;
  }

  private whole(draft: Draft): Whole {
    return { draft: $state.snapshot(draft), secrets: this.secrets.get(draft.id), reason: this.reasons.get(draft.id) };
  }

  private putBack({ draft, secrets, reason }: Whole): Draft {
    this.drafts.push(draft);
    if (secrets) this.secrets.set(draft.id, secrets);
    if (reason) this.reasons.set(draft.id, reason);
    desk.select(this.placeOf(draft));
    return this.drafts[this.drafts.length - 1]!;
  }

  /** The call of a form that is hers. */
  private callOf(draft: Draft): CallView | undefined {
    return draft.call ? desk.mine.find((c) => c.id === draft.call) : undefined;
  }

  /** An empty form of a call that is no longer here needs no keeping; that a message was saved, as long as the call lives. */
  tidy(mine: CallView[], live: CallView[]): void {
    const calls = new Set(mine.map((c) => c.id));
    for (const draft of this.drafts) {
      if (draft.call && !calls.has(draft.call) && !hasContent(draft.answers)) {
        const known = draft.acknowledged > 0;
        this.remove(draft.id);
        if (known) void api.deleteDraft(draft.id).catch(() => undefined);
      }
    }
    const alive = new Set(live.map((c) => c.id));
    for (const call of this.saved.keys()) if (!alive.has(call)) this.saved.delete(call);
  }

  flushAll(): void {
    for (const saver of this.savers.values()) void saver.flush();
  }

  private changed(draft: Draft): void {
    Object.assign(draft.answers, this.entered(draft));
    draft.revision++;
    draft.changed_at = clock.now;
    this.shelf?.keep($state.snapshot(draft));
    this.saver(draft.id).touch();
  }

  private remove(id: string): void {
    this.takeOff(id);
    this.shelf?.drop(id);
  }

  /** No longer on the screen. */
  private takeOff(id: string): void {
    this.stopSaver(id);
    this.drafts = this.drafts.filter((d) => d.id !== id);
    this.faults.delete(id);
    this.secrets.delete(id);
    this.leftOut.delete(id);
    this.reasons.delete(id);
    this.reasonMissing.delete(id);
    this.asIs.delete(id);
    this.adopted.delete(id);
    this.meant.delete(id);
  }

  private stopSaver(id: string): void {
    this.savers.get(id)?.stop();
    this.savers.delete(id);
  }

  private saver(id: string): DraftSaver {
    let saver = this.savers.get(id);
    if (!saver) {
      const empty = newDraft('', null, null, 0);
      saver = new DraftSaver(
        () => this.find(id) ?? empty,
        async (draft, typed) => {
          const body = await this.withLate(draft, typed);
          await api.putDraft(draft, this.isBeside(draft) ? { ...body, beside: true } : body);
        },
        (revision) => {
          const draft = this.find(id);
          if (!draft) return;
          draft.acknowledged = Math.max(draft.acknowledged, revision);
          this.shelf?.keep($state.snapshot(draft));
          this.keptHere = false;
        },
        (error) => {
          const call = this.find(id)?.call;
          if (call && error instanceof Problem && error.code === 'draft.begun_elsewhere') {
            void this.takeIn(call).then((came) => {
              if (came !== 'nothing' || !this.find(id)) return;
              // Its call is over, or is somebody else's: no word typed here is left for that.
              this.meant.add(id);
              this.keptHere = true;
            });
            return 'try again';
          }
          if (error instanceof Problem && !error.offline && error.status < 500 && error.status !== 401 && error.status !== 429) return 'give up';
          this.keptHere = true;
          return 'try again';
        },
      );
      this.savers.set(id, saver);
    }
    return saver;
  }
}

export const forms = new Forms();
