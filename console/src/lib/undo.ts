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

/** What is left once a step was taken back, whatever was done, or found to be done, meanwhile. */
export function without(steps: Steps, taken: Step): Steps {
  return steps.filter((step) => step !== taken);
}
