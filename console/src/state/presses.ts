// The presses on steps, from whichever place of the page.

import { Presses } from '../lib/presses';

export const presses = new Presses();
