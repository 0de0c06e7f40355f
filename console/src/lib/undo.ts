// What can be taken back, the last first, one step at a time. Pure; what a step does is the business of whoever made it.

/** So many steps are remembered: more than anybody goes back through. */
const MOST = 50;

export interface Step {
  words: string;
  back: () => Promise<void>;
}

export type Steps = readonly Step[];

export function did(steps: Steps, step: Step): Steps {
  return [...steps, step].slice(-MOST);
}

/** The step that is taken back next, and what is left after it. */
export function takeLast(steps: Steps): { step: Step; rest: Steps } | null {
  const step = steps.at(-1);
  return step ? { step, rest: steps.slice(0, -1) } : null;
}
