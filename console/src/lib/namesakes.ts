// Two people of one name: asked about before they are saved. Pure; the server asks the same.

interface Known {
  id: string;
  name: string;
  title: string;
  destinations: readonly { reach: { kind: string; address: string } }[];
}

// A page shows a run of blanks as one.
const fold = (name: string) => name.trim().replace(/\s+/g, ' ').toLowerCase();

/** Who of the account is called as `name` already; `self`: whoever is written, who may keep the name they have. */
export function namesakeOf<T extends Known>(people: readonly T[], name: string, self: { id: string; name: string } | null): T | null {
  const wanted = fold(name);
  if (!wanted || (self && fold(self.name) === wanted)) return null;
  return people.find((other) => other.id !== self?.id && fold(other.name) === wanted) ?? null;
}

/** "There is already somebody called Ben Ortiz (technician, +1…21): is this somebody else?" */
export function namesakeWords({ name, title, destinations }: Known): string {
  const number = destinations.find((d) => d.reach.kind === 'phone')?.reach.address;
  const about = [title, number && `${number.slice(0, 2)}…${number.slice(-2)}`].filter(Boolean).join(', ');
  return `There is already somebody called ${name}${about ? ` (${about})` : ''}: is this somebody else?`;
}
