import { describe, expect, it } from 'vitest';
import type { Arrival } from './bootPython';
import { TickLoop } from './TickLoop';

/** A loop on a virtual clock; `answers` are the deadlines that its ticks return, in order. */
function setUp(answers: number[], eager = false) {
  let now_s = 100;
  let timers: { at_s: number; wake: () => void }[] = [];
  const soon: (() => void)[] = [];
  const ticks: number[] = [];
  const failures: unknown[] = [];
  const inboxes: number[] = [];
  const inbox: Arrival[] = [];
  const loop = new TickLoop(
    {
      tick: (now, arrived) => {
        ticks.push(now);
        inboxes.push(arrived.length);
        const answer = answers.shift();
        if (answer === undefined) throw new Error('enough');
        return answer;
      },
      eager: () => eager,
    },
    () => inbox.splice(0),
    {
      now_s: () => now_s,
      setTimer: (wake, delay_ms) => {
        const timer = { at_s: now_s + delay_ms / 1000, wake };
        timers.push(timer);
        return timer;
      },
      clearTimer: (timer) => {
        timers = timers.filter((other) => other !== timer);
      },
      soon: (wake) => soon.push(wake),
    },
    (cause) => failures.push(cause),
  );
  const run = (until_s: number): void => {
    for (;;) {
      const wake = soon.shift();
      if (wake) {
        wake();
        continue;
      }
      const next = timers.toSorted((a, b) => a.at_s - b.at_s)[0];
      if (next === undefined || next.at_s > until_s) break;
      timers = timers.filter((timer) => timer !== next);
      now_s = next.at_s;
      next.wake();
    }
    now_s = until_s;
  };
  return { loop, run, ticks, failures, inbox, inboxes };
}

describe('TickLoop', () => {
  it('ticks at each deadline', () => {
    const { loop, run, ticks } = setUp([100.25, 100.5, 100.75, 200]);
    loop.start();
    run(100.8);
    expect(ticks).toEqual([100, 100.25, 100.5, 100.75]);
  });

  it('ticks again immediately when the deadline has passed', () => {
    const { loop, run, ticks } = setUp([99, 99, 200]);
    loop.start();
    run(100.5);
    expect(ticks).toEqual([100, 100, 100]);
  });

  it('ticks at least every second', () => {
    const { loop, run, ticks } = setUp([3700, 3700, 3700]);
    loop.start();
    run(102.5);
    expect(ticks).toEqual([100, 101, 102]);
  });

  it('hands over datagrams at the next deadline, or immediately if the target is eager', () => {
    const patient = setUp([100.5, 200]);
    patient.loop.start();
    patient.run(100.1);
    patient.inbox.push([1, new Uint8Array(1), 100.1]);
    patient.loop.arrived();
    patient.run(100.2);
    expect(patient.inboxes).toEqual([0]);
    patient.run(100.6);
    expect(patient.inboxes).toEqual([0, 1]);

    const eager = setUp([100.5, 200], true);
    eager.loop.start();
    eager.run(100.1);
    eager.inbox.push([1, new Uint8Array(1), 100.1]);
    eager.loop.arrived();
    eager.loop.arrived();
    eager.run(100.2);
    expect(eager.inboxes).toEqual([0, 1]);
  });

  it('stops and reports the cause when a tick fails', () => {
    const { loop, run, ticks, failures } = setUp([100.1]);
    loop.start();
    run(110);
    expect(ticks.length).toBe(2);
    expect(failures).toEqual([new Error('enough')]);
  });
});
