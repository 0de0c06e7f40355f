// A form that goes along with its call while somebody types in it, at the desk that it comes to.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Problem, api } from '../lib/api';
import type { CallView } from '../lib/types';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';

// The page's own things are not there.
vi.mock('./session.svelte', () => ({ session: { signed: null } }));

const call = { id: 'call_1', account: { id: 'acc_plumbing', name: 'Imaginary Plumbing' }, caller: null, state: 'talking' } as unknown as CallView;
const form = (answers: object) => ({ id: 'drf_1', account: 'acc_plumbing', call: 'call_1', answers, saved_at: 1 });

beforeEach(async () => {
  vi.useFakeTimers();
  forms.clear();
  vi.restoreAllMocks();
  vi.spyOn(desk, 'mine', 'get').mockImplementation(() => [call]);
  vi.spyOn(accounts, 'want').mockResolvedValue(undefined);
  vi.spyOn(accounts, 'find').mockReturnValue(undefined);
  vi.spyOn(api, 'putDraft').mockResolvedValue(undefined as never);
  vi.spyOn(api, 'takeForm').mockResolvedValue(form({ problem: 'water ru' }) as never);
  vi.spyOn(api, 'drafts').mockResolvedValue({ items: [form({ problem: 'water runs down' })] } as never);
  await forms.adopt(call);
});

afterEach(() => {
  forms.clear();
  vi.useRealTimers();
});

it('has the last words of whoever had it, a moment later', async () => {
  expect(forms.ofCall('call_1')?.answers.problem).toBe('water ru');
  await vi.advanceTimersByTimeAsync(500);
  expect(forms.ofCall('call_1')?.answers.problem).toBe('water runs down');
});

it('keeps what was typed here meanwhile', async () => {
  const type = { form: { fields: [] } } as never;
  forms.setAnswer(forms.ofCall('call_1')!, type, 'problem', 'water runs since noon');
  await vi.advanceTimersByTimeAsync(500);
  expect(forms.ofCall('call_1')?.answers.problem).toBe('water runs since noon');
});

it('has them in what is first saved here, which is written over them', async () => {
  const type = { form: { fields: [] } } as never;
  forms.setAnswer(forms.ofCall('call_1')!, type, 'caller_name', 'Ann');
  await forms.flushed('call_1');
  const answers = { problem: 'water runs down', caller_name: 'Ann' };
  expect(api.putDraft).toHaveBeenCalledWith('drf_1', expect.objectContaining({ answers }));
});

it('is not put where it was thrown away while they were read', async () => {
  const type = { form: { fields: [] } } as never;
  forms.setAnswer(forms.ofCall('call_1')!, type, 'caller_name', 'Ann');
  const saving = forms.flushed('call_1');
  forms.clear();
  await vi.advanceTimersByTimeAsync(500);
  await saving;
  expect(api.putDraft).not.toHaveBeenCalled();
});

it('is not taken for one begun in another browser while it is asked for', async () => {
  forms.clear();
  let gives: (form: never) => void = () => undefined;
  vi.spyOn(api, 'takeForm').mockReturnValue(new Promise((done) => (gives = done)));
  const adopting = forms.adopt(call);
  await forms.takeIn('call_1');
  expect(forms.ofCall('call_1')).toBeUndefined();
  gives(form({ problem: 'water ru' }) as never);
  await adopting;
  await vi.advanceTimersByTimeAsync(500);
  expect(forms.ofCall('call_1')?.answers.problem).toBe('water runs down');
});

it('is saved beside one begun elsewhere whose call is over, as that cannot come here', async () => {
  forms.clear();
  const elsewhere = new Problem(409, 'draft.begun_elsewhere', 'Begun in another browser.');
  vi.spyOn(api, 'putDraft').mockImplementation(async (_, body) => {
    if (!body.beside) throw elsewhere;
    return undefined as never;
  });
  const draft = forms.open({ ...call, call_type: null } as CallView);
  vi.spyOn(desk, 'mine', 'get').mockImplementation(() => []);
  forms.setAnswer(draft, { form: { fields: [] } } as never, 'problem', 'typed on a train');
  await vi.advanceTimersByTimeAsync(2_100);
  expect(forms.keptHere).toBe(true);
  await vi.advanceTimersByTimeAsync(2_100);
  expect(api.putDraft).toHaveBeenLastCalledWith(draft.id, expect.objectContaining({ beside: true, answers: { problem: 'typed on a train' } }));
  expect([forms.keptHere, forms.find(draft.id)?.acknowledged]).toEqual([false, 1]);
});

it('has them with the form that they are of', async () => {
  vi.spyOn(api, 'drafts').mockResolvedValue({ items: [{ ...(form({ problem: 'water ru', symptom: 'chest pain' }) as object), call_type: 'ct_patient' }] } as never);
  await vi.advanceTimersByTimeAsync(500);
  expect(forms.ofCall('call_1')?.call_type).toBe('ct_patient');
  expect(forms.ofCall('call_1')?.answers.symptom).toBe('chest pain');
});

it('leaves them out where another form was chosen here meanwhile', async () => {
  const type = { form: { fields: [] } } as never;
  forms.setAnswer(forms.ofCall('call_1')!, type, 'caller_name', 'Ann');
  vi.spyOn(api, 'drafts').mockResolvedValue({ items: [{ ...(form({ problem: 'water ru', symptom: 'chest pain' }) as object), call_type: 'ct_patient' }] } as never);
  await vi.advanceTimersByTimeAsync(500);
  const here = forms.ofCall('call_1');
  expect(here?.call_type).not.toBe('ct_patient');
  expect([here?.answers.symptom, here?.apart?.symptom]).toEqual(['chest pain', 'The form before']);
});

it('has them before it is saved', async () => {
  await forms.save(forms.ofCall('call_1')!);
  expect(forms.ofCall('call_1')?.answers.problem).toBe('water runs down');
});
