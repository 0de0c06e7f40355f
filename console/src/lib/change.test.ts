import { describe, expect, it } from 'vitest';
import { dropChange, findChange, keepChange, type Change } from './change';
import type { Form } from './types';

function shelf() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    text: () => JSON.stringify([...kept]),
  };
}

const form = {
  fields: [
    { name: 'message', label: 'Message', kind: { kind: 'long_text' } },
    { name: 'door', label: 'Door code', kind: { kind: 'text' }, sensitive: 'kept' },
  ],
} as unknown as Form;
const change: Change = { edition: 2, call_type: 'ct_a', caller: '+12025550190', answers: { message: 'It leaks more now.', door: '4711' }, reason: '' };

describe('a change that is being written', () => {
  it('is there again for whoever wrote it, and for nobody else', () => {
    const kept = shelf();
    keepChange(kept, 'usr_kim', 'msg_1', change, [form]);
    expect(findChange(kept, 'usr_kim', 'msg_1')).toEqual({ ...change, answers: { message: 'It leaks more now.' } });
    expect(findChange(kept, 'usr_lee', 'msg_1')).toBeNull();
    expect(findChange(kept, 'usr_kim', 'msg_2')).toBeNull();
    dropChange(kept, 'usr_kim', 'msg_1');
    expect(findChange(kept, 'usr_kim', 'msg_1')).toBeNull();
  });

  it('has what was left out and put in by hand still', () => {
    const kept = shelf();
    const chosen = { unit: false, symptom: true };
    keepChange(kept, 'usr_kim', 'msg_1', { ...change, chosen }, [form]);
    expect(findChange(kept, 'usr_kim', 'msg_1')?.chosen).toEqual(chosen);
  });

  it('leaves no door code behind in the browser', () => {
    const kept = shelf();
    keepChange(kept, 'usr_kim', 'msg_1', change, [form]);
    expect(kept.text()).not.toContain('4711');
    // The call type was changed meanwhile, and its form has no door code.
    keepChange(kept, 'usr_kim', 'msg_1', change, [{ fields: [] } as unknown as Form, form]);
    expect(kept.text()).not.toContain('4711');
  });

  it('that cannot be read is none', () => {
    const kept = shelf();
    kept.setItem('cordboard.change.usr_kim.msg_1', '{');
    expect(findChange(kept, 'usr_kim', 'msg_1')).toBeNull();
  });
});
