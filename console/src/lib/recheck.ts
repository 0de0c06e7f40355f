// The server's own part of the ready check, once more and by itself: the server forgets it when it is restarted, or when a console was
// out of touch. Microphone and headset were tried by ear in this page before, and are still open. Pure: what it does it is given.

const STEP_MS = 50;
const RINGS_WITHIN_MS = 8_000;
const UP_WITHIN_MS = 10_000;
/** The server wants a second's worth of sound. */
const LASTS_MS = 2_000;
const VERDICT_WITHIN_MS = 6_000;

/** Why she is not ready, in one sentence. */
export const FORGOTTEN = 'The server was restarted, or this console was out of touch for a moment.';

export interface TestCall {
  /** Asks the server to ring; refused if it throws. */
  ask(): Promise<unknown>;
  isThere(): boolean;
  isUp(): boolean;
  hangUp(): void;
  /** The server has heard this console. */
  passed(): boolean;
  wait(ms: number): Promise<unknown>;
}

async function until(what: () => boolean, within: number, wait: TestCall['wait']): Promise<boolean> {
  for (let waited = 0; waited < within; waited += STEP_MS) {
    if (what()) return true;
    await wait(STEP_MS);
  }
  return what();
}

/** Null: it passed. Else why it did not. */
export async function testAgain(call: TestCall): Promise<string | null> {
  try {
    await call.ask();
  } catch (error) {
    return (error as Error).message;
  }
  if (!(await until(call.isThere, RINGS_WITHIN_MS, call.wait))) return 'The server was asked to ring here, but no call came.';
  if (!(await until(call.isUp, UP_WITHIN_MS, call.wait))) {
    call.hangUp();
    return 'The test call was not connected.';
  }
  await call.wait(LASTS_MS);
  call.hangUp();
  return (await until(call.passed, VERDICT_WITHIN_MS, call.wait)) ? null : 'The server did not hear this console.';
}
