// Which edition of each message she has had in front of her: a yes is one to that, and not to what it was changed to meanwhile.

const editions = new Map<string, number>();

export const read = {
  /** Its words are shown to her. */
  shows(message: string, edition: number): void {
    editions.set(message, edition);
  },

  /** The edition she has seen last, or `otherwise`, if its words were not shown. */
  edition(message: string, otherwise: number): number {
    return editions.get(message) ?? otherwise;
  },
};
