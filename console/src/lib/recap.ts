// The plan of an account's recap as it is written. Pure.

import type { RecapPlan } from './types';

/** What an account without a recap is written upon. */
export function noRecap(): RecapPlan {
  return { times: [], to: [], empty: false, files: { pdf: false, csv: false } };
}

/** Puts somebody's address among those who get it, or takes it out. */
export function chooses(plan: RecapPlan, who: { contact: string; destination: string }, on: boolean): void {
  plan.to = plan.to.filter((to) => to.contact !== who.contact || to.destination !== who.destination);
  if (on) plan.to.push({ contact: who.contact, destination: who.destination });
}
