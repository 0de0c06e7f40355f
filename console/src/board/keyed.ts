// The key of a row's button, where there is one: rows stand on the desk too, and its letters are for the form.

import { actKey, type BoardAct } from '../lib/board';
import { router } from '../state/router.svelte';

export const keyed = (act: BoardAct) => (router.page.name === 'board' ? actKey(act) : {});
