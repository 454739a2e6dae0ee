/** A page's link lives as protocol/vectors/link.json says; tests/headless/links has the same test. */
import { describe, expect, it } from 'vitest';
import vectors from '../../../../protocol/vectors/link.json';
import type { SignalPayload, SignalType } from '../../protocol/messages';
import { type Link, type LinkEffect, type LinkEvent, newLink, type Role } from './link';
import { reduceLink } from './reduceLink';

type Event =
  | ['start' | 'timer' | 'socket_back' | 'close']
  | ['receive', SignalType, SignalPayload]
  | ['describe', string]
  | ['channel_open' | 'channel_closed', number]
  | ['epoch', number];

interface History {
  name: string;
  role: Role;
  epoch: number;
  name_of_messages: string;
  steps: { at_ms: number; event: Event; effects: unknown[]; state?: string }[];
}

/** In the middle of its range, so that no wait is varied. */
const NO_JITTER = 0.5;

function toLinkEvent(link: Link, event: Event): LinkEvent {
  const { connection, negotiation } = link;
  switch (event[0]) {
    case 'receive':
      return { kind: 'signal', type: event[1], payload: event[2] };
    case 'describe':
      return { kind: 'local_description', connection, negotiation, sdp: event[1] };
    case 'channel_open':
    case 'channel_closed':
      return { kind: 'channel', connection: event[1], open: event[0] === 'channel_open' };
    case 'epoch':
      return { kind: 'epoch', epoch: event[1] };
    default:
      return { kind: event[0] };
  }
}

/** An effect in the file's words; nothing for what only one side has. */
function toWords(link: Link, effect: LinkEffect): unknown[] {
  switch (effect.kind) {
    case 'open':
    case 'close':
      return [[effect.kind, effect.connection]];
    case 'describe':
      // Taking an offer includes the answer.
      return link.role === 'offer' ? [['make_offer']] : [];
    case 'accept':
      return [[`take_${effect.type}`, effect.sdp]];
    case 'add_candidates':
      return [['add_candidates', effect.candidates]];
    case 'signal': {
      const { reason: _, ...payload } = effect.payload;
      return [['send', effect.type, payload]];
    }
    default:
      return [];
  }
}

class Player {
  link: Link;

  constructor({ role, epoch, name_of_messages }: History) {
    this.link = newLink(role, epoch, name_of_messages);
  }

  /** Take an event, with a browser that sets descriptions immediately; returns the effects in the file's words. */
  take(event: LinkEvent, now_ms: number): unknown[] {
    const { link, effects } = reduceLink(this.link, event, now_ms, NO_JITTER);
    this.link = link;
    return effects.flatMap((effect) => {
      const words = toWords(link, effect);
      if (effect.kind !== 'accept') return words;
      const { connection, negotiation } = effect;
      return [...words, ...this.take({ kind: 'remote_set', connection, negotiation }, now_ms)];
    });
  }
}

describe('a shared history', () => {
  it.each((vectors.histories as unknown as History[]).map((history) => [history.name, history] as const))(
    '%s',
    (_, history) => {
      const player = new Player(history);
      for (const step of history.steps) {
        const effects = player.take(toLinkEvent(player.link, step.event), step.at_ms);
        expect(effects, JSON.stringify(step)).toEqual(step.effects);
        if (step.state !== undefined) expect(player.link.state, JSON.stringify(step)).toBe(step.state);
      }
    },
  );
});
