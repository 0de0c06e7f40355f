// A form is never of another account than its call, and what is taken back is whole.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '../lib/api';
import type { CallView, MessageView } from '../lib/types';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';

// The page's own things are not there.
vi.mock('./session.svelte', () => ({ session: { signed: null } }));

const plumber = { id: 'acc_plumbing', name: 'Imaginary Plumbing' };
const clinic = { id: 'acc_clinic', name: 'Maple Street Clinic' };

function calledFor(account: { id: string; name: string }): CallView {
  return { id: 'call_1', account, caller: '+12025550190', call_type: null, state: 'talking' } as unknown as CallView;
}

let call = calledFor(plumber);

beforeEach(() => {
  forms.clear();
  call = calledFor(plumber);
  vi.restoreAllMocks();
  vi.spyOn(desk, 'mine', 'get').mockImplementation(() => [call]);
  vi.spyOn(accounts, 'want').mockResolvedValue(undefined);
  vi.spyOn(accounts, 'find').mockImplementation(
    (id) => ({ id, call_types: [{ id: `ct_${id}`, name: 'Any', urgency: 'routine', form: { fields: [] } }], triggers: [], contacts: [] }) as never,
  );
  vi.spyOn(api, 'putDraft').mockResolvedValue(undefined as never);
});

/** Saved for the plumber, with a card number in this page's memory. */
async function saves(): Promise<void> {
  const draft = forms.open(call);
  draft.call_type = 'ct_acc_plumbing';
  draft.answers.name = 'Ann';
  forms.secrets.set(draft.id, { card: '4111' });
  forms.reasons.set(draft.id, 'She is ninety and alone.');
  const message = { id: 'msg_1', account: plumber, call_type: { id: 'ct_acc_plumbing', name: 'Any' }, dispatch: { undo_until: Number.MAX_SAFE_INTEGER } } as unknown as MessageView;
  vi.spyOn(api, 'saveMessage').mockResolvedValue(message);
  vi.spyOn(api, 'undoMessage').mockResolvedValue(undefined as never);
  await forms.save(draft);
  expect(forms.ofCall('call_1')).toBeUndefined();
}

describe('a form and its call', () => {
  it('are of one account after a message was taken back whose call is for another by now', async () => {
    await saves();
    call = calledFor(clinic);
    await forms.undo();
    expect(forms.ofCall('call_1')?.account).toBe(clinic.id);
  });

  it('are of one account when what another operator began is taken over', async () => {
    const theirs = { id: 'drf_1', account: plumber.id, call: 'call_1', call_type: null, caller: null, answers: { name: 'Ann' }, cursor: null, begun_at: 1, revision: 3 };
    vi.spyOn(api, 'takeForm').mockResolvedValue(theirs as never);
    call = calledFor(clinic);
    await forms.adopt(call);
    expect(forms.ofCall('call_1')?.account).toBe(clinic.id);
  });

  it('are not saved apart, whatever led to it', async () => {
    const draft = forms.open(call);
    const save = vi.spyOn(api, 'saveMessage');
    call = calledFor(clinic);
    await forms.save(draft);
    expect(save).not.toHaveBeenCalled();
    expect(draft.account).toBe(clinic.id);
  });
});

describe('a form begun in another browser of hers', () => {
  const theirs = { id: 'drf_1', account: plumber.id, call: 'call_1', answers: { name: 'Ann' }, saved_at: 1 };
  const onServer = (...items: unknown[]) => vi.spyOn(api, 'drafts').mockResolvedValue({ items } as never);

  it('is here instead of the empty one', async () => {
    forms.open(call);
    onServer(theirs);
    await forms.takeIn('call_1');
    expect(forms.drafts.map((d) => [d.id, d.answers.name])).toEqual([['drf_1', 'Ann']]);
  });

  it('takes in what was typed here meanwhile, and stays one form', async () => {
    const ours = forms.open(call);
    forms.setAnswer(ours, { form: { fields: [] } } as never, 'problem', 'leak');
    forms.secrets.set(ours.id, { card: '4111' });
    onServer(theirs);
    await forms.takeIn('call_1');
    expect(forms.drafts.map((d) => [d.id, d.answers])).toEqual([['drf_1', { name: 'Ann', problem: 'leak' }]]);
    expect(forms.secrets.get('drf_1')).toEqual({ card: '4111' });
  });

  it('is shown as it was written on there, unless words were typed here', async () => {
    forms.open(call);
    onServer(theirs);
    await forms.takeIn('call_1');
    onServer({ ...theirs, answers: { name: 'Ann Lee' } });
    await forms.takeIn('call_1');
    expect(forms.ofCall('call_1')?.answers.name).toBe('Ann Lee');
    forms.setAnswer(forms.ofCall('call_1')!, { form: { fields: [] } } as never, 'name', 'Ann Leeds');
    await forms.takeIn('call_1');
    expect(forms.ofCall('call_1')?.answers.name).toBe('Ann Leeds');
  });

  it('does not come back once its message is saved', async () => {
    const draft = forms.open(call);
    const id = draft.id;
    await saves();
    onServer({ ...theirs, id });
    await forms.takeIn('call_1');
    expect(forms.drafts.map((d) => d.id)).not.toContain(id);
  });
});

describe('a message taken back', () => {
  it('has its sensitive answers and its reason still', async () => {
    await saves();
    await forms.undo();
    const draft = forms.ofCall('call_1')!;
    expect(forms.secrets.get(draft.id)).toEqual({ card: '4111' });
    expect(forms.reasons.get(draft.id)).toBe('She is ninety and alone.');
  });
});

describe('a second form on a call', () => {
  it('and the message that is taken back are both there to be seen', async () => {
    await saves();
    const second = forms.open(call);
    second.answers.name = 'Bea';
    await forms.undo();
    expect(forms.ofCall('call_1')?.id).toBe(second.id);
    const [first] = forms.leftOver([call]);
    expect(first?.call).toBe('call_1');
    expect(first?.id).not.toBe(second.id);
    expect(desk.selected).toBe(first?.id);
  });
});

describe('a call type that is changed', () => {
  const field = (name: string) => ({ name, label: name, kind: { kind: 'text' } });
  const urgent = { id: 'ct_urgent', name: 'Urgent', urgency: 'urgent', watched: [{ kind: 'words', words: 'burst pipe' }], form: { version: 1, fields: [field('name'), field('problem')] } };
  const routine = { id: 'ct_routine', name: 'Routine', urgency: 'routine', form: { version: 1, fields: [field('name')] } };

  beforeEach(() => {
    vi.spyOn(accounts, 'find').mockImplementation((id) => ({ id, zone: 'UTC', call_types: [urgent, routine], contacts: [] }) as never);
  });

  it('to one whose form lacks the field in which an urgent word stands is not saved without a reason, and loses no word', async () => {
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_urgent');
    forms.setAnswer(draft, urgent as never, 'problem', 'a burst pipe');
    forms.setCallType(draft, 'ct_routine');
    const save = vi.spyOn(api, 'saveMessage').mockResolvedValue({ id: 'msg_1', account: plumber, call_type: { id: 'ct_routine', name: 'Routine' }, dispatch: null } as never);
    expect(await forms.save(draft)).toBe('reason');
    expect(save).not.toHaveBeenCalled();
    forms.setReason(draft, 'The water is shut off.');
    await forms.save(draft);
    expect(save.mock.calls[0]?.[0]).toMatchObject({ call_type: 'ct_routine', also: { problem: 'a burst pipe' }, reason: 'The water is shut off.' });
  });

  it('forgets why it was not urgent: that is no reason for anything else', () => {
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_routine');
    forms.setReason(draft, 'It is about the bill.');
    forms.reasonMissing.set(draft.id, true);
    forms.setCallType(draft, 'ct_urgent');
    expect(forms.reasons.has(draft.id) || forms.reasonMissing.has(draft.id)).toBe(false);
  });

  it('has what was left out again until it is saved', () => {
    const draft = forms.open(call);
    forms.setAnswer(draft, urgent as never, 'problem', 'a burst pipe');
    forms.setCallType(draft, 'ct_routine');
    const also = () => forms.also(draft, routine as never, accounts.find('acc_plumbing')!).map((a) => a.answer);
    forms.leaveOut(draft, 'problem');
    expect(also()).toEqual([]);
    forms.putIn(draft, 'problem');
    expect(also()).toEqual(['a burst pipe']);
  });
});

describe('what was typed for a protected call type', () => {
  const field = (name: string) => ({ name, label: name, kind: { kind: 'text' } });
  const patient = { id: 'ct_patient', name: 'Patient', urgency: 'routine', protected: true, form: { version: 1, fields: [field('name'), field('symptom')] } };
  const billing = { id: 'ct_billing', name: 'Billing', urgency: 'routine', form: { version: 1, fields: [field('name')] } };

  beforeEach(() => {
    vi.spyOn(accounts, 'find').mockImplementation((id) => ({ id, zone: 'UTC', call_types: id === clinic.id ? [patient, billing] : [billing], contacts: [] }) as never);
    call = calledFor(clinic);
  });

  const sent = async (draft: { id: string }) => {
    const save = vi.spyOn(api, 'saveMessage').mockResolvedValue({ id: 'msg_1', account: clinic, call_type: { id: 'ct_billing', name: 'Billing' }, dispatch: { undo_until: Number.MAX_SAFE_INTEGER } } as never);
    vi.spyOn(api, 'undoMessage').mockResolvedValue(undefined as never);
    save.mockClear();
    await forms.save(forms.find(draft.id)!);
    return save.mock.calls[0]?.[0].also;
  };

  it('goes into a message that leaves in clear only where she puts it in', async () => {
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    forms.setCallType(draft, 'ct_billing');
    expect(draft.answers.symptom).toBe('chest pain');
    expect(forms.apart(draft, billing as never, accounts.find(clinic.id)!).map((a) => a.answer)).toEqual(['chest pain']);
    expect(await sent(draft)).toBeUndefined();
    await forms.undo();
    const back = forms.ofCall('call_1')!;
    forms.putInPlain(back, 'symptom');
    expect(await sent(back)).toEqual({ symptom: 'chest pain' });
  });

  it('warns by the client’s list still, and asks for no reason by words that are not sent', async () => {
    const watching = { ...patient, id: 'ct_watching', name: 'Emergency', urgency: 'urgent', watched: [{ kind: 'words', words: 'chest pain' }] };
    vi.spyOn(accounts, 'find').mockImplementation((id) => ({ id, zone: 'UTC', call_types: [watching, patient, billing], contacts: [] }) as never);
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    forms.setCallType(draft, 'ct_billing');
    const account = accounts.find(clinic.id)!;
    expect(forms.met(draft, billing as never, account)?.type.name).toBe('Emergency');
    expect(forms.grading(draft, billing as never, account)).toBeNull();
    forms.putInPlain(draft, 'symptom');
    expect(forms.grading(draft, billing as never, account)).toBe('lowered');
  });

  it('is in its form again when the type is protected again', () => {
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    forms.setCallType(draft, 'ct_billing');
    forms.setCallType(draft, 'ct_patient');
    expect([draft.apart, draft.answers.symptom]).toEqual([undefined, 'chest pain']);
  });

  it('stays out of it when a colleague takes the form over', async () => {
    const apart = { symptom: 'Patient' };
    const theirs = { id: 'drf_1', account: clinic.id, call: 'call_1', call_type: 'ct_billing', answers: { symptom: 'chest pain' }, apart, saved_at: 1 };
    vi.spyOn(api, 'takeForm').mockResolvedValue(theirs as never);
    await forms.adopt(call);
    const draft = forms.ofCall('call_1')!;
    expect(forms.apart(draft, billing as never, accounts.find(clinic.id)!).map((a) => a.answer)).toEqual(['chest pain']);
    expect(await sent(draft)).toBeUndefined();
  });

  it('does not leave in clear for another account either', async () => {
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    call = calledFor(plumber);
    await forms.changeAccount(call, draft);
    expect(await sent(draft)).toBeUndefined();
  });

  it('nor while the other account is being read, or where it cannot be', async () => {
    const known = new Set([clinic.id]);
    vi.spyOn(accounts, 'find').mockImplementation((id) => (known.has(id) ? ({ id, zone: 'UTC', call_types: id === clinic.id ? [patient, billing] : [billing], contacts: [] } as never) : undefined));
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    let meanwhile: unknown;
    vi.spyOn(accounts, 'want').mockImplementation(async () => void (meanwhile = { ...draft.apart }));
    call = calledFor(plumber);
    await forms.changeAccount(call, draft);
    expect(meanwhile).toEqual({ symptom: 'Patient' });
    known.add(plumber.id);
    forms.setCallType(draft, 'ct_billing');
    expect(await sent(draft)).toBeUndefined();
  });

  it('is in the form of an account that protects it too, and the server hears of it', async () => {
    vi.spyOn(accounts, 'find').mockImplementation((id) => ({ id, zone: 'UTC', call_types: [patient, billing], contacts: [] }) as never);
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'symptom', 'chest pain');
    call = calledFor(plumber);
    const before = draft.revision;
    await forms.changeAccount(call, draft);
    expect(draft.apart).toBeUndefined();
    expect(draft.revision).toBe(before + 2);
  });

  it('stays out of a third form, also where the second had a field for it', async () => {
    const notice = { id: 'ct_notice', name: 'Notice', urgency: 'routine', form: { version: 1, fields: [] } };
    vi.spyOn(accounts, 'find').mockImplementation((id) => ({ id, zone: 'UTC', call_types: [patient, billing, notice], contacts: [] }) as never);
    const draft = forms.open(call);
    forms.setCallType(draft, 'ct_patient');
    forms.setAnswer(draft, patient as never, 'name', 'Ann');
    forms.setCallType(draft, 'ct_billing');
    forms.setCallType(draft, 'ct_notice');
    expect(await sent(draft)).toBeUndefined();
  });
});
