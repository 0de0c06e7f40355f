// What callers ask again and again: found by the words that she types while one speaks.

import type { Faq } from './types';

/** Those that have all the words, where the question has them before where only the answer does. */
export function findFaq<T extends Faq>(entries: readonly T[], words: string): T[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => wanted.every((word) => text.toLowerCase().includes(word));
  const found = entries.filter((entry) => has(`${entry.question} ${entry.answer}`));
  return [...found.filter((entry) => has(entry.question)), ...found.filter((entry) => !has(entry.question))];
}
