// Whether the window is as narrow as a telephone: the width at which the pages' own styles change.

import { MediaQuery } from 'svelte/reactivity';

export const narrow = new MediaQuery('max-width: 640px');
