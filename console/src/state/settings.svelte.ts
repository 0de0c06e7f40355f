// What this machine remembers for whoever sits at it: devices and looks. No account's data.

export type Theme = 'auto' | 'light' | 'dark';

interface Stored {
  theme: Theme;
  mic: string;
  ear: string;
  ringer: string;
}

const KEY = 'cordboard.settings';
const DEFAULTS: Stored = { theme: 'auto', mic: '', ear: '', ringer: '' };

function load(): Stored {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>) };
  } catch {
    return DEFAULTS;
  }
}

class Settings {
  theme = $state<Theme>('auto');
  /** Device ids; empty is the system's choice. */
  mic = $state('');
  ear = $state('');
  ringer = $state('');

  constructor() {
    Object.assign(this, load());
    this.showTheme();
  }

  save(): void {
    const { theme, mic, ear, ringer } = this;
    localStorage.setItem(KEY, JSON.stringify({ theme, mic, ear, ringer }));
    this.showTheme();
  }

  nextTheme(): void {
    this.theme = this.theme === 'auto' ? 'dark' : this.theme === 'dark' ? 'light' : 'auto';
    this.save();
  }

  private showTheme(): void {
    if (this.theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
  }
}

export const settings = new Settings();
