// What the keys for saving and taking back are meant for while a page with something to fill in is open that is no call's form.

export interface Sheet {
  save: () => unknown;
  /** True if there was something to take back. */
  undo: () => boolean;
}

class OpenSheet {
  open: Sheet | null = null;

  /** `sheet` is open until the result is called. */
  show(sheet: Sheet): () => void {
    this.open = sheet;
    return () => {
      if (this.open === sheet) this.open = null;
    };
  }
}

export const sheet = new OpenSheet();
