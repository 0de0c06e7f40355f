// Figures of a report for the eye: bars from zero, lengths of time, ends of dispatches. Pure.

import { shortDay } from './days';
import type { ReportDay } from './types';

export interface Bar {
  /** Under it. */
  label: string;
  /** What it says, whole. */
  words: string;
  /** Parts from the ground up, in hundredths of the chart's height. */
  parts: { from: number; height: number; value: number }[];
}

export interface Chart {
  bars: Bar[];
  /** What the top of the chart stands for. */
  top: number;
}

/** The next round figure: 1, 2, 5, 10, 20, 50 … so that tops compare. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((n) => n * ten >= value - 1e-9) ?? 10;
  return step * ten;
}

/** Days as stacked bars. Every bar begins at zero; a day without a figure has no bar at all, not a bar of nothing. */
export function chartOf(days: readonly ReportDay[], of: (day: ReportDay) => (number | null)[], names: readonly string[], say: (value: number) => string = String): Chart {
  const rows = days.map((day) => ({ day, values: of(day) }));
  const top = roundUp(Math.max(0, ...rows.map(({ values }) => values.reduce<number>((sum, v) => sum + (v ?? 0), 0))));
  const bars = rows.map(({ day, values }) => {
    let from = 0;
    const parts = values.map((value) => {
      const part = { from, height: ((value ?? 0) / top) * 100, value: value ?? 0 };
      from += part.height;
      return part;
    });
    const label = shortDay(day.date ?? '1970-01-01');
    const said = values.map((value, n) => `${value === null ? 'none' : say(value)} ${names[n] ?? ''}`.trim());
    return { label, words: `${label}: ${said.join(', ')}`, parts };
  });
  return { bars, top };
}

/** `12 s`, `1 min 20 s`, `2 h 05 min`; nothing to measure: `–`. */
export function lengthWords(ms: number | null): string {
  if (ms === null) return '–';
  const secs = Math.round(ms / 1000);
  if (secs < 60) return `${secs} s`;
  if (secs < 3600) return `${Math.floor(secs / 60)} min${secs % 60 ? ` ${secs % 60} s` : ''}`;
  return `${Math.floor(secs / 3600)} h ${String(Math.floor(secs / 60) % 60).padStart(2, '0')} min`;
}

/** `96 % (48 of 50)`; of nothing there is no share. */
export function shareWords(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((part / whole) * 100)} % (${part} of ${whole})`;
}

const ENDS: Record<string, string> = {
  confirmed: 'confirmed by a person',
  told: 'heard or opened by a person',
  delivered: 'accepted for delivery',
  patched: 'caller put through',
  recapped: 'in the recap',
  read_at_check_in: 'read to you at check-in',
  closed_by_operator: 'closed by the service',
  exhausted_unconfirmed: 'all steps done, nobody confirmed',
  cancelled: 'taken back',
  open: 'still open',
};

export function endWords(end: string): string {
  return ENDS[end] ?? end.replaceAll('_', ' ');
}

/** Ends by how often they came. */
export function endsOf(dispatches: Readonly<Record<string, number>>): { words: string; count: number }[] {
  return Object.entries(dispatches)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([end, count]) => ({ words: endWords(end), count }));
}
