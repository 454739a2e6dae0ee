/**
 * A simulation of two players' pages, the server and the network between them, in virtual time.
 *
 * Signals are lost, duplicated, delayed and reordered; pages reload, die and sleep; sockets drop, the server restarts,
 * networks change. Everything that happens follows from the scenario, so that failures can be reproduced and shrunk.
 */

import type { SignalPayload, SignalType } from '../../protocol/messages';
import { type LinkState, shownState } from '../life/link';
import { TIMES } from '../life/times';
import { SimulatedPage } from './SimulatedPage';
import { seededRandom, VirtualClock } from './VirtualClock';

export interface Fault {
  kind:
    | 'reload'
    | 'die'
    | 'sleep'
    | 'network'
    | 'socket'
    | 'server'
    | 'cut'
    | 'one_way'
    | 'kill'
    | 'rebuild'
    | 'leave';
  side: 0 | 1;
  at_ms: number;
  /** Duration, for faults that have one. */
  for_ms: number;
}

export interface Scenario {
  seed: number;
  /** Fractions of signals that are lost, and that are duplicated. */
  lost: number;
  doubled: number;
  /** The longest delay of a signal. */
  late_ms: number;
  /** Whether there is never a direct path. */
  blocked: boolean;
  faults: Fault[];
}

export interface SimulationResult {
  /** Virtual time from the last fault until the links are at rest; infinite if they never are. */
  rest_ms: number;
  states: [LinkState | 'gone', LinkState | 'gone'];
  relaying: [boolean, boolean];
  /** The longest time without anything from the other page, over any path, after the first datagram. */
  longest_gap_ms: number;
}

const POLL_MS = 100;
const HOLD_MS = 10_000;

export class LinkSimulation {
  readonly #clock = new VirtualClock();
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #pages: [SimulatedPage, SimulatedPage];
  readonly #directions: [boolean, boolean] = [true, true];
  #epoch = 0;
  #server_up = true;
  /** Players who left or died: nobody returns to their seats. */
  readonly #seatless: [boolean, boolean] = [false, false];
  #longest_gap_ms = 0;
  #loads = 0;
  #calm_ms = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = seededRandom(scenario.seed);
    this.#pages = [this.#load(0), this.#load(1)];
  }

  /** Run the scenario, then wait for at most `longest_wait_ms` until the links are at rest. */
  run(longest_wait_ms: number): SimulationResult {
    for (const fault of this.#scenario.faults) {
      this.#clock.after(fault.at_ms, () => this.#inject(fault));
      this.#calm_ms = Math.max(this.#calm_ms, fault.at_ms + fault.for_ms);
    }
    for (const page of this.#pages)
      this.#clock.after(300 * this.#random(), () => page.dispatch({ kind: 'start' }));
    this.#poll();
    const end_ms = this.#calm_ms + longest_wait_ms;
    let rested_since_ms: number | null = null;
    while (this.#clock.step(end_ms)) {
      const now_ms = this.#clock.now_ms;
      if (now_ms < this.#calm_ms || !this.#isAtRest()) rested_since_ms = null;
      else rested_since_ms ??= now_ms;
      // Only rest that lasts counts.
      if (rested_since_ms !== null && now_ms - rested_since_ms > 8000) break;
    }
    const rest_ms = rested_since_ms === null ? Number.POSITIVE_INFINITY : rested_since_ms - this.#calm_ms;
    const relaying = this.#both((page) => page.relaying);
    return { rest_ms, states: this.#both(stateOf), relaying, longest_gap_ms: this.#longest_gap_ms };
  }

  #both<Value>(read: (page: SimulatedPage) => Value): [Value, Value] {
    return [read(this.#pages[0]), read(this.#pages[1])];
  }

  #isAtRest(): boolean {
    const states = this.#both(stateOf);
    const gone = states.some((state) => state === 'gone' || state === 'closed');
    if (gone) return states.every((state) => state === 'gone' || state === 'closed');
    const relaying = this.#both((page) => page.relaying);
    if (this.#scenario.blocked)
      return relaying.every(Boolean) && states.every((state) => state === 'relayed');
    return !relaying.some(Boolean) && states.every((state) => state === 'connected');
  }

  // Faults

  #inject({ kind, side, for_ms }: Fault): void {
    const page = this.#pages[side];
    const { now_ms } = this.#clock;
    if ((page.gone || this.#seatless[side]) && kind !== 'server') return;
    switch (kind) {
      case 'reload':
        this.#removePage(side);
        this.#clock.after(for_ms, () => this.#reload(side));
        return;
      case 'die':
        this.#removePage(side);
        this.#seatless[side] = true;
        this.#clock.after(HOLD_MS, () => this.#tellLeft(1 - side));
        return;
      case 'leave':
        page.dispatch({ kind: 'close' });
        this.#seatless[side] = true;
        this.#clock.after(HOLD_MS, () => this.#tellLeft(1 - side));
        return;
      case 'sleep':
        page.asleep_until_ms = Math.max(page.asleep_until_ms, now_ms + for_ms);
        if (for_ms > TIMES.sleep_gap_ms) this.#clock.after(for_ms, () => page.dispatch({ kind: 'woke' }));
        this.#dropSocket(page, for_ms + 500);
        return;
      case 'network':
        page.connection?.losePath();
        page.dispatch({ kind: 'network_changed' });
        this.#dropSocket(page, 700);
        return;
      case 'socket':
        this.#dropSocket(page, for_ms);
        return;
      case 'server':
        this.#server_up = false;
        for (const each of this.#pages) this.#dropSocket(each, for_ms + 1000 * this.#random());
        this.#clock.after(for_ms, () => {
          this.#server_up = true;
        });
        return;
      case 'cut':
      case 'one_way':
        this.#directions[side] = false;
        if (kind === 'cut') this.#directions[side === 0 ? 1 : 0] = false;
        this.#clock.after(for_ms, () => this.#directions.fill(true));
        return;
      case 'kill':
        // The browser gives the connection up, as after a crash of its network process.
        page.connection?.losePath();
        if (page.connection !== null) page.connection.state = 'failed';
        this.#tellConnection(page);
        return;
      case 'rebuild':
        this.#epoch += 1;
        for (const each of this.#pages) this.#announce(each);
        return;
    }
  }

  #removePage(side: number): void {
    const page = this.#pages[side];
    if (page === undefined) return;
    page.gone = true;
    page.connection = null;
  }

  #reload(side: 0 | 1): void {
    if (!this.#server_up) {
      this.#clock.after(300, () => this.#reload(side));
      return;
    }
    if (!this.#pages[side].gone || this.#seatless[side]) return;
    this.#epoch += 1;
    const page = this.#load(side);
    this.#pages[side] = page;
    this.#announce(this.#pages[side === 0 ? 1 : 0]);
    page.dispatch({ kind: 'start' });
    if (this.#seatless[side === 0 ? 1 : 0]) this.#tellLeft(side);
  }

  #load(side: 0 | 1): SimulatedPage {
    this.#loads += 1;
    return new SimulatedPage(
      side === 0 ? 'offer' : 'answer',
      this.#epoch,
      `${side}-${this.#loads}`,
      this.#clock,
      {
        send: (from, type, payload) => this.#relaySignal(from, side, type, payload),
        random: this.#random,
      },
    );
  }

  #tellLeft(side: number): void {
    const page = this.#pages[side];
    if (!this.#server_up || page?.online === false) this.#clock.after(300, () => this.#tellLeft(side));
    else page?.dispatch({ kind: 'close' });
  }

  // The server

  #dropSocket(page: SimulatedPage, for_ms: number): void {
    page.online = false;
    this.#clock.after(for_ms, () => {
      if (!this.#server_up) this.#dropSocket(page, 300);
      else if (!page.online) {
        page.online = true;
        // The server repeats the game's description, with the current epochs.
        page.dispatch({ kind: 'epoch', epoch: this.#epoch });
        page.dispatch({ kind: 'socket_back' });
      }
    });
  }

  #announce(page: SimulatedPage): void {
    const epoch = this.#epoch;
    this.#clock.after(30 * this.#random(), () => {
      if (this.#server_up && page.online) page.dispatch({ kind: 'epoch', epoch });
    });
  }

  #relaySignal(from: SimulatedPage, side: 0 | 1, type: SignalType, payload: SignalPayload): void {
    if (!this.#server_up || !from.online || payload.epoch > this.#epoch) return;
    const { lost, doubled, late_ms } = this.#scenario;
    const copies = this.#random() < lost ? 0 : this.#random() < doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#clock.after(5 + late_ms * this.#random(), () => {
        const to = this.#pages[side === 0 ? 1 : 0];
        if (this.#server_up && to.online) to.dispatch({ kind: 'signal', type, payload });
      });
    }
  }

  // The network between the browsers

  #poll(): void {
    const [one, other] = this.#pages;
    const [a, b] = [one.connection, other.connection];
    const open = !this.#scenario.blocked && this.#directions[0] && this.#directions[1];
    if (a !== null && b !== null && open) a.join(b);
    const joined = a !== null && b !== null && a.hasPath(b) && b.hasPath(a);
    this.#observe(one, joined && open, joined && this.#directions[1] && !other.asleep, other);
    this.#observe(other, joined && open, joined && this.#directions[0] && !one.asleep, one);
    this.#clock.after(POLL_MS, () => this.#poll());
  }

  /**
   * Report to a page what its browser and its worker would notice now.
   *
   * @param answered Whether connectivity checks are answered.
   * @param arrives Whether the other page's datagrams arrive.
   */
  #observe(page: SimulatedPage, answered: boolean, arrives: boolean, other: SimulatedPage): void {
    const { connection } = page;
    const { now_ms } = this.#clock;
    const reachable = this.#server_up && page.online && other.online && !other.gone && !other.asleep;
    const relayed = reachable && other.relaying;
    if (relayed) page.dispatch({ kind: 'relay_heard' });
    const direct = arrives && connection?.channel_open === true && other.connection?.channel_open === true;
    if (relayed || direct) page.heard_ms = now_ms;
    if (page.heard_ms !== null) this.#longest_gap_ms = Math.max(this.#longest_gap_ms, now_ms - page.heard_ms);
    if (connection === null || page.connection !== connection || page.asleep) return;
    if (connection.check(answered, now_ms)) this.#tellConnection(page);
    if (page.connection !== connection) return;
    if (answered && !connection.channel_open) {
      page.joined_since_ms ??= now_ms;
      if (now_ms - page.joined_since_ms < 2 * POLL_MS) return;
      connection.channel_open = true;
      page.dispatch({ kind: 'channel', connection: connection.number, open: true });
    } else if (connection.channel_open) {
      this.#updateHearing(page, connection.number, direct);
    }
  }

  #updateHearing(page: SimulatedPage, connection: number, arrives: boolean): void {
    const { now_ms } = this.#clock;
    page.unheard_since_ms = arrives ? null : (page.unheard_since_ms ?? now_ms);
    const hears = page.unheard_since_ms === null || now_ms - page.unheard_since_ms < TIMES.silent_ms;
    if (hears === page.hears) return;
    page.hears = hears;
    page.dispatch({ kind: 'hearing', connection, direct: hears });
  }

  #tellConnection(page: SimulatedPage): void {
    const { connection } = page;
    if (connection === null || connection.state === 'new') return;
    page.dispatch({ kind: 'connection_state', connection: connection.number, state: connection.state });
  }
}

function stateOf(page: SimulatedPage): LinkState | 'gone' {
  return page.gone ? 'gone' : shownState(page.link);
}
