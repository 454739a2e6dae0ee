import { describe, expect, it } from 'vitest';
import { type SaveState, SaveStatus } from './SaveStatus';

describe('SaveStatus', () => {
  it('adds up what several games still have to bring', () => {
    const saving = new SaveStatus();
    expect(saving.state).toEqual({ waiting: 0, failing: false });
    saving.note('a', 2, false);
    saving.note('b', 1, true);
    expect(saving.state).toEqual({ waiting: 3, failing: true });
    saving.note('b', 0, false);
    saving.note('a', 0, false);
    expect(saving.state).toEqual({ waiting: 0, failing: false });
  });

  it('tells whoever listens, until they stop', () => {
    const saving = new SaveStatus();
    const heard: SaveState[] = [];
    const stop = saving.listen((state) => heard.push(state));
    saving.note('a', 1, false);
    stop();
    saving.note('a', 0, false);
    expect(heard).toEqual([{ waiting: 1, failing: false }]);
  });

  it('is not done while something is held, and is even if that fails', async () => {
    const saving = new SaveStatus();
    let fail: (cause: Error) => void = () => undefined;
    const held = saving.hold(new Promise((_, reject) => (fail = reject)));
    expect(saving.state.waiting).toBe(1);
    fail(new Error('no storage'));
    await held;
    expect(saving.state.waiting).toBe(0);
  });
});
