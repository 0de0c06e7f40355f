import { describe, expect, it } from 'vitest';
import { METHODS, adoptIds, currentProtocols, faultAt, methodId, move, newType, protocolBody, settingsOf, typeRows, typesBody, writtenUpon } from './account';
import { begin, follow, keepMine } from './section';
import type { CallType, ProtocolVersion, WholeAccount } from './types';

const type: CallType = {
  id: 'ct_a',
  name: 'Urgent',
  urgency: 'urgent',
  triggers: 'leak',
  watched: [{ kind: 'words', words: 'burst pipe' }, { kind: 'answer', field: 'problem', is: 'Leak' }],
  protocol: 'pro_2',
  form: { version: 3, fields: [{ name: 'problem', label: 'Problem', kind: { kind: 'choice', options: ['Leak', 'Other'] } }] },
};

describe('what is sent of an account', () => {
  it('is whole, with its edition, and nothing of what is written elsewhere', () => {
    const account = { name: 'A', zone: 'UTC', dids: ['+12025550101'], edition: 4, call_types: [type], contacts: [] };
    const sent = settingsOf(account as unknown as WholeAccount, { name: 'B' });
    expect(sent).toMatchObject({ name: 'B', zone: 'UTC', dids: ['+12025550101'], edition: 4 });
    expect(Object.keys(sent)).not.toContain('call_types');
  });

  it('has the call types as they were read', () => {
    expect(typesBody(typeRows([type]))).toEqual([
      { id: 'ct_a', name: 'Urgent', urgency: 'urgent', triggers: 'leak', watched: type.watched, protocol: 'pro_2', protected: false, form: { fields: type.form.fields } },
    ]);
  });

  it('drops empty choices, and the protocol of what is not dispatched', () => {
    const rows = typeRows([{ ...type, urgency: 'not_legitimate' }]);
    rows[0]!.fields[0]!.field.kind = { kind: 'choice', options: ['Leak', ' ', ''] };
    const [sent] = typesBody(rows) as { protocol: string | null; form: { fields: { kind: unknown }[] } }[];
    expect(sent!.protocol).toBeNull();
    expect(sent!.form.fields[0]!.kind).toEqual({ kind: 'choice', options: ['Leak'] });
  });

  it('drops what is empty of how an answer must look', () => {
    const rows = typeRows([type]);
    rows[0]!.fields[0]!.field = { name: 'policy', label: 'Policy', kind: { kind: 'text' }, shape: { patterns: ['AA-9999', ''], example: ' ' } };
    const sent = () => (typesBody(rows) as { form: { fields: { shape?: unknown }[] } }[])[0]!.form.fields[0]!;
    expect(sent().shape).toEqual({ patterns: ['AA-9999'] });
    rows[0]!.fields[0]!.field.shape = { min_length: null, patterns: [''] };
    expect('shape' in sent()).toBe(false);
  });

  it('asks of a new call type what nearly every one does', () => {
    const [sent] = typesBody([newType()]) as { id?: string; form: { fields: { name: string }[] } }[];
    expect(sent!.id).toBeUndefined();
    expect(sent!.form.fields.map((f) => f.name)).toEqual(['name', 'callback', 'message']);
  });
});

describe('a fault', () => {
  it('is told at its place with its cure', () => {
    const faults = [{ pointer: '/dids/0', code: 'account.did', detail: 'Not complete.', cure: 'Write it whole.' }];
    expect(faultAt(faults, '/dids/0')).toBe('Not complete. Write it whole.');
    expect(faultAt(faults, '/dids')).toBeUndefined();
  });
});

it('rows move within their list only', () => {
  expect(move(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c']);
  expect(move(['a', 'b'], 1, 1)).toEqual(['a', 'b']);
  expect(move(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
});

it('a call that leaves a message is another method than one that does not', () => {
  expect(methodId({ kind: 'call_out', leave_message: true })).toBe('call_leave');
  for (const { id, method } of METHODS) expect(methodId(method)).toBe(id);
  expect(methodId({ kind: 'text' })).toBe('text');
});

it('of each protocol the version in force is shown, else the newest', () => {
  const version = (id: string, name: string, n: number) => ({ id, name, version: n }) as ProtocolVersion;
  const all = [version('pro_3', 'Urgent', 3), version('pro_2', 'Urgent', 2), version('pro_b', 'Bills', 2), version('pro_a', 'Bills', 1)];
  expect(currentProtocols(all, [type]).map((p) => p.id)).toEqual(['pro_2', 'pro_b']);
});

describe('what the next version of a protocol is written upon', () => {
  const version = (n: number, wait_secs: number) =>
    ({ id: `pro_${n}`, name: 'Urgent', version: n, repeat: null, until: 'confirmed', steps: [{ method: { kind: 'text' }, to: [], wait_secs }] }) as unknown as ProtocolVersion;
  const inForce = version(2, 600);

  it('is the version in force, even where a newer one was there before', () => {
    expect(writtenUpon([version(3, 900), inForce], [type], 'Urgent', 3)).toEqual(protocolBody(inForce, [type]));
    expect(writtenUpon([inForce], [type], 'Bills', 0)).toBeNull();
  });

  it('is what somebody else has published meanwhile, in force or not, and the writer is told', () => {
    const part = begin(protocolBody(inForce, [type]));
    part.value.steps[0]!.wait_secs = 60;
    const theirs = version(3, 900);
    expect(follow(part, writtenUpon([inForce], [type], 'Urgent', 2)!).theirs).toBeNull();
    const behind = follow(part, writtenUpon([theirs, inForce], [type], 'Urgent', 2)!);
    expect(behind.theirs?.steps[0]?.wait_secs).toBe(900);
    expect(behind.theirs?.call_types).toEqual(['ct_a']);
    expect(follow(part, writtenUpon([theirs, inForce], [{ ...type, protocol: 'pro_3' }], 'Urgent', 2)!).theirs).toEqual(behind.theirs);
    // Kept all the same: told once, until the next.
    const mine = keepMine(behind);
    expect(follow(mine, writtenUpon([theirs, inForce], [type], 'Urgent', 2)!).theirs).toBeNull();
    expect(follow(mine, writtenUpon([version(4, 30), theirs, inForce], [type], 'Urgent', 2)!).theirs?.steps[0]?.wait_secs).toBe(30);
  });
});

it('a call type that was new when it was saved keeps its row, and what is typed in it meanwhile', () => {
  const row = { ...newType(), name: 'Urgent', triggers: 'leak' };
  const typed = [{ ...row, triggers: 'leak, no heat' }];
  const now = typeRows([type], typed);
  expect(now[0]!.key).toBe(row.key);
  expect(adoptIds(typed, now)).toEqual([{ ...typed[0], id: 'ct_a' }]);
});
