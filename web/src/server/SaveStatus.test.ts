import { describe, expect, it } from 'vitest';
import { type SaveProgress, SaveStatus } from './SaveStatus';

describe('SaveStatus', () => {
  it('adds up what several games still have to upload', () => {
    const save_status = new SaveStatus();
    expect(save_status.state).toEqual({ waiting: 0, failing: false });
    save_status.report('a', 2, false);
    save_status.report('b', 1, true);
    expect(save_status.state).toEqual({ waiting: 3, failing: true });
    save_status.report('b', 0, false);
    save_status.report('a', 0, false);
    expect(save_status.state).toEqual({ waiting: 0, failing: false });
  });

  it('calls a listener until that ends', () => {
    const save_status = new SaveStatus();
    const heard: SaveProgress[] = [];
    const stop = save_status.listen((state) => heard.push(state));
    save_status.report('a', 1, false);
    stop();
    save_status.report('a', 0, false);
    expect(heard).toEqual([{ waiting: 1, failing: false }]);
  });

  it('waits while something is held, and no longer when that fails', async () => {
    const save_status = new SaveStatus();
    let fail: (cause: Error) => void = () => undefined;
    const held = save_status.hold(new Promise((_, reject) => (fail = reject)));
    expect(save_status.state.waiting).toBe(1);
    fail(new Error('no storage'));
    await held;
    expect(save_status.state.waiting).toBe(0);
  });
});
