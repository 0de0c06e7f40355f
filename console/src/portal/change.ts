// A change of a protocol as a client writes it: people, ways, waits and order. What only the service sets (conditions, tries, what
// counts as done) stays with its step as it was. Pure.

import { METHODS, copy, methodId } from '../lib/account';
import { fitted } from '../lib/steps';
import type { Step, Target } from '../lib/types';
import type { PortalProtocols, ProtocolBody, StepPerson } from './types';

/** The protocol that is in force as a proposal that changes nothing yet. */
export function proposalOf({ name, steps, repeat, until, call_types }: PortalProtocols['items'][number]): ProtocolBody {
  return copy({ name, steps, repeat, until, call_types: call_types.map((t) => t.id) });
}

export interface Choice {
  key: string;
  label: string;
  target: Target;
}

const keyOf = (target: Target): string => `${target.kind} ${target.kind === 'contact' ? target.contact : target.role} ${target.destination}`;

/** Everybody whom a step could reach by its way. */
export function choicesFor(step: Step, people: readonly StepPerson[], roles: readonly string[]): Choice[] {
  const kind = METHODS.find((m) => m.id === methodId(step.method))?.takes;
  const ways = people.flatMap((p) => p.destinations.filter((d) => d.kind === kind).map((d) => ({ person: p, label: d.label })));
  const labels = [...new Set(ways.map((way) => way.label))];
  const targets: { label: string; target: Target }[] = [
    ...roles.flatMap((role) => labels.map((destination) => ({ label: `${role} on call, ${destination}`, target: { kind: 'on_call' as const, role, destination } }))),
    ...ways.map(({ person, label }) => ({ label: `${person.name}, ${label}`, target: { kind: 'contact' as const, contact: person.id, destination: label } })),
  ];
  const taken = new Set(step.to.map(keyOf));
  return targets.map((t) => ({ ...t, key: keyOf(t.target) })).filter((choice) => !taken.has(choice.key));
}

export function targetWords(target: Target, people: readonly StepPerson[]): string {
  if (target.kind === 'on_call') return `${target.role} on call, ${target.destination}`;
  return `${people.find((p) => p.id === target.contact)?.name ?? 'somebody who is gone'}, ${target.destination}`;
}

/** The step with another way of reaching people; whom it reached stays where the way takes the same kind of address. */
export function withWay(step: Step, way: string): Step {
  const found = METHODS.find((m) => m.id === way);
  if (!found) return step;
  const was = METHODS.find((m) => m.id === methodId(step.method))?.takes;
  const next: Step = { ...copy(step), method: { ...found.method }, to: found.takes === was ? copy(step.to) : [] };
  const held = found.takes === 'nobody' || way === 'live_patch';
  if (held) next.wait_secs = 0;
  fitted(next);
  return next;
}

export const WAITS = [0, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600] as const;

export function waitWords(secs: number): string {
  if (secs === 0) return 'not at all';
  return secs % 60 === 0 ? `${secs / 60} min` : `${secs} s`;
}
