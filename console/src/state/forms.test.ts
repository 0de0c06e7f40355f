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
  forms.secrets.set(draft.id, { card: '4111' });
  forms.reasons.set(draft.id, 'She is ninety and alone.');
  const message = { id: 'msg_1', dispatch: { undo_until: Number.MAX_SAFE_INTEGER } } as unknown as MessageView;
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

describe('a message taken back', () => {
  it('has its sensitive answers and its reason still', async () => {
    await saves();
    await forms.undo();
    const draft = forms.ofCall('call_1')!;
    expect(forms.secrets.get(draft.id)).toEqual({ card: '4111' });
    expect(forms.reasons.get(draft.id)).toBe('She is ninety and alone.');
  });
});
