/**
 * The game on the page: canvas, scores, round, connection, and over it whatever there is to wait for.
 */

import { element, plainButton, prose } from '../dom';
import { CanvasRenderer } from '../draw/CanvasRenderer';
import { SoundPlayer } from '../draw/SoundPlayer';
import type { GameEvent } from '../game/GameClient';
import { GamepadKeys } from '../input/GamepadKeys';
import type { HeldKeys } from '../input/HeldKeys';
import { Keyboard } from '../input/Keyboard';
import { TouchKeys } from '../input/TouchKeys';
import type { GameConfig, GamePhase, Hud } from '../protocol/messages';
import { ConnectionQuality } from './ConnectionQuality';
import { PlayOverlay } from './PlayOverlay';
import { announcePhase, type SceneView } from './SceneView';

/** A batch a second: fewer than these are no reason to disturb anyone. */
const UNSAVED_BATCHES = 3;

const UNSAVED =
  'The study cannot save your game at the moment. It is kept on this device: play on, and please keep this page open.';

const GOING_ON = {
  end: '',
  default: ' You can play on.',
  bot: ' The computer plays on in their place.',
};

/** Of a connection that is interrupted. */
const OUTLOOK = {
  end: 'If this takes long, the game ends and you go on from there.',
  default: 'If this takes long, the game goes on without whoever is missing.',
  bot: 'If this takes long, the computer plays on for whoever is missing.',
};

export interface PlaySceneProps {
  label: string;
  title: string;
  controls_html: string;
  /** Whether the players' returns are shown. */
  scores: boolean;
  keys: string[];
}

export class PlayScene implements SceneView {
  readonly root: HTMLElement;
  readonly #props: PlaySceneProps;
  readonly #held: HeldKeys;
  readonly #canvas = element('canvas', { class: 'stage', tabindex: '0', 'aria-label': 'The game' });
  readonly #scores = element('ul', { class: 'scores' });
  readonly #round = element('p', { class: 'round' });
  readonly #quality = new ConnectionQuality();
  readonly #notice = element('p', { class: 'notice', role: 'status', 'aria-live': 'polite' });
  readonly #countdown = element('p', { class: 'countdown', 'aria-hidden': 'true' });
  readonly #overlay: PlayOverlay;
  readonly #sound = new SoundPlayer();
  readonly #touch: TouchKeys;
  readonly #closers: (() => void)[] = [];
  #inputs: { close(): void }[] = [];
  #renderer: CanvasRenderer | null = null;
  #config: GameConfig | null = null;
  #phase: GamePhase = 'loading';
  #missing = new Set<number>();
  #saved = false;

  constructor(props: PlaySceneProps, held: HeldKeys, leave: () => void) {
    this.#props = props;
    this.#held = held;
    this.#overlay = new PlayOverlay(leave);
    this.#touch = new TouchKeys(props.keys, held);
    const mute = plainButton('Mute', 'mute', () => {
      this.#sound.muted = !this.#sound.muted;
      mute.textContent = this.#sound.muted ? 'Unmute' : 'Mute';
      this.#canvas.focus();
    });
    this.root = element('section', { class: 'play' }, [
      element('header', { class: 'play-head' }, [
        element('h1', { text: props.title || props.label || 'Game' }),
        this.#scores,
        this.#round,
        this.#quality.root,
      ]),
      element('div', { class: 'table' }, [this.#canvas, this.#countdown, this.#overlay.root]),
      this.#notice,
      this.#touch.root,
      element('footer', { class: 'play-foot' }, [prose(props.controls_html), mute]),
    ]);
    const unlock = (): void => this.#sound.unlock();
    for (const gesture of ['pointerdown', 'keydown'] as const) {
      addEventListener(gesture, unlock);
      this.#closers.push(() => removeEventListener(gesture, unlock));
    }
    this.#show();
  }

  /** Python loads, or is up (fraction 1). */
  showLoading(stage: string, fraction: number): void {
    this.#overlay.progress(stage, fraction);
    if (fraction >= 1 && this.#phase === 'loading') this.#phase = this.#config ? 'connecting' : 'waiting';
    this.#show();
  }

  /** The game is known: who plays, and how fast. */
  begin(config: GameConfig, loaded: boolean): void {
    this.#config = config;
    this.#renderer = new CanvasRenderer(
      this.#canvas,
      config.fps,
      (name) => this.#sound.play(name),
      (aspect) => this.root.style.setProperty('--aspect', String(aspect)),
    );
    this.#overlay.outlook = OUTLOOK[config.when_left ?? 'end'];
    this.#phase = loaded ? 'connecting' : 'loading';
    this.#show();
  }

  handle(news: GameEvent): void {
    switch (news.kind) {
      case 'picture':
        this.#renderer?.accept(news.picture);
        return;
      case 'hud':
        this.#showHud(news.hud);
        return;
      case 'phase':
        this.#enter(news.phase);
        return;
      case 'partner':
        if (news.present) this.#missing.delete(news.peer);
        else this.#missing.add(news.peer);
        this.#say(news.present ? `${this.#partner} is back.` : '');
        this.#show();
        return;
      case 'link':
        if (news.state === 'closed' && news.lost) this.#overlay.trouble(`Sorry, ${news.reason}.`);
        this.#quality.linkChanged(news.peer, news.state);
        return;
      case 'figures':
        this.#quality.measured(news.peer, news.rtt_ms);
        return;
      case 'saving':
        if (this.#phase === 'ended') this.#overlay.saving(news.waiting, news.failing);
        else this.#showUnsaved(news.failing && news.waiting >= UNSAVED_BATCHES);
        return;
      case 'saved':
        this.#saved = true;
        this.#show();
        return;
      case 'report':
        return;
    }
  }

  /** Our own way to the server is open, or not. */
  showOnline(online: boolean): void {
    this.#overlay.online = online;
    this.#show();
  }

  /** Whether the server can store the game, which it does before it begins. */
  showStoring(storing: boolean): void {
    this.#overlay.storing = storing;
    this.#show();
  }

  /** Someone will not come back. */
  showLeft(player_id: number): void {
    this.#missing.delete(player_id);
    this.#say(`${this.#partner} has left the game.${GOING_ON[this.#config?.when_left ?? 'end']}`);
    this.#show();
  }

  /** Why the next page comes early; empty if it does not. */
  get cause(): string {
    const ends = (this.#config?.when_left ?? 'end') === 'end';
    return ends ? `${this.#partner} has left, so the game ended early. You go on from here.` : '';
  }

  /** The game goes on, or is over, without this participant. */
  showRemoved(): void {
    this.#overlay.removed = true;
    this.#enter('ended');
  }

  /** Tell the participant something about the game, in a line under it. */
  notify(text: string): void {
    this.#say(text);
  }

  close(): void {
    this.#renderer?.close();
    this.#overlay.close();
    this.#touch.close();
    this.#stopInputs();
    for (const close of this.#closers) close();
  }

  get #partner(): string {
    return (this.#config?.peers.length ?? 2) > 2 ? 'Another player' : 'The other player';
  }

  #enter(phase: GamePhase): void {
    this.#phase = phase;
    if (phase === 'playing' && this.#inputs.length === 0) {
      this.#inputs = [new Keyboard(window, this.#held, this.#props.keys), new GamepadKeys(this.#held)];
      this.#canvas.focus({ preventScroll: true });
    }
    if (phase === 'ended') this.#stopInputs();
    this.#show();
  }

  #stopInputs(): void {
    for (const input of this.#inputs) input.close();
    this.#inputs = [];
  }

  #show(): void {
    const phase = this.#phase === 'playing' && this.#missing.size > 0 ? 'paused' : this.#phase;
    announcePhase(phase);
    this.#overlay.show(phase, this.#saved);
  }

  #showHud(hud: Hud): void {
    const mine = this.#config?.player_id;
    if (this.#props.scores) this.#showScores(hud.scores, mine);
    const rounds = this.#config?.episodes ?? 1;
    this.#round.textContent = rounds > 1 ? `Round ${Math.min(hud.episode + 1, rounds)} of ${rounds}` : '';
    this.#countdown.textContent = hud.phase === 'countdown' && hud.countdown > 0 ? String(hud.countdown) : '';
  }

  #showScores(scores: number[], mine: number | undefined): void {
    this.#scores.replaceChildren(
      ...scores.map((score, player) =>
        element('li', { class: player === mine ? 'mine' : '' }, [
          element('span', { text: player === mine ? 'You' : `Player ${player + 1}` }),
          element('b', { text: String(Math.round(score * 10) / 10) }),
        ]),
      ),
    );
  }

  #showUnsaved(unsaved: boolean): void {
    if (unsaved) this.#say(UNSAVED);
    else if (this.#notice.textContent === UNSAVED) this.#say('');
  }

  #say(text: string): void {
    if (this.#notice.textContent !== text) this.#notice.textContent = text;
  }
}
