/** The scene of a game: canvas, scores, round and connection; an overlay says what the game waits for. */

import { element, plainButton, prose } from '../dom';
import { CanvasRenderer } from '../draw/CanvasRenderer';
import { SoundPlayer } from '../draw/SoundPlayer';
import type { GameEvent } from '../game/GameClient';
import type { WorkerDispatcher } from '../game/WorkerDispatcher';
import { GamepadKeys } from '../input/GamepadKeys';
import type { HeldKeys } from '../input/HeldKeys';
import { Keyboard } from '../input/Keyboard';
import { TouchKeys } from '../input/TouchKeys';
import type { GameConfig, GamePhase, Hud, PlayProps } from '../protocol/messages';
import { ConnectionQuality } from './ConnectionQuality';
import { PlayOverlay } from './PlayOverlay';
import { announcePhase, type SceneView } from './SceneView';

/** There is about one batch per second; with fewer than this, the participant is not told. */
const UNSAVED_BATCHES = 3;

const UNSAVED =
  'The study cannot save your game at the moment. It is kept on this device: play on, and please keep this page open.';

/** Appended to the news that somebody left, by what becomes of the seat. */
const AFTER_LEAVING = {
  end: '',
  default: ' You can play on.',
  bot: ' The computer plays on in their place.',
};

/** What an interruption that lasts will lead to, by what becomes of the seat. */
const OUTLOOK = {
  end: 'If this takes long, the game ends and you go on from there.',
  default: 'If this takes long, the game goes on without whoever is missing.',
  bot: 'If this takes long, the computer plays on for whoever is missing.',
};

export class PlayScene implements SceneView {
  readonly root: HTMLElement;
  readonly #props: PlayProps;
  readonly #held_keys: HeldKeys;
  readonly #pictures: Pick<WorkerDispatcher, 'showPictures'>;
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
  #hidePictures: () => void = () => undefined;
  #config: GameConfig | null = null;
  #phase: GamePhase = 'loading';
  #missing = new Set<number>();
  #saved = false;

  /** @param pictures Brings the game's pictures. */
  constructor(
    props: PlayProps,
    held_keys: HeldKeys,
    pictures: Pick<WorkerDispatcher, 'showPictures'>,
    leave: () => void,
  ) {
    this.#props = props;
    this.#held_keys = held_keys;
    this.#pictures = pictures;
    this.#overlay = new PlayOverlay(leave);
    this.#touch = new TouchKeys(props.keys, held_keys);
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

  /** Index of this play scene, as in `scene_index` of its games. */
  get play_scene(): number {
    return this.#props.play_scene;
  }

  /** Show how far Python has loaded; a fraction of 1 means that it is ready. */
  showLoading({ stage, fraction }: { stage: string; fraction: number }): void {
    this.#overlay.showProgress(stage, fraction);
    if (fraction >= 1 && this.#phase === 'loading') this.#phase = this.#config ? 'connecting' : 'waiting';
    this.#show();
  }

  /** The scene's game begins: show its pictures from now on. */
  begin(config: GameConfig, loaded: boolean): void {
    this.#config = config;
    this.#renderer?.close();
    this.#renderer = new CanvasRenderer(
      this.#canvas,
      config.fps,
      (name) => this.#sound.play(name),
      (aspect) => this.root.style.setProperty('--aspect', String(aspect)),
    );
    this.#hidePictures = this.#pictures.showPictures(config.game_id, this.#renderer);
    this.#overlay.outlook = OUTLOOK[config.when_left ?? 'end'];
    this.#phase = loaded ? 'connecting' : 'loading';
    this.#show();
  }

  handle(event: GameEvent): void {
    switch (event.kind) {
      case 'hud':
        this.#showHud(event.hud);
        return;
      case 'phase':
        this.#enter(event.phase);
        return;
      case 'partner':
        if (event.present) this.#missing.delete(event.peer);
        else this.#missing.add(event.peer);
        this.#write(event.present ? `${this.#partner} is back.` : '');
        this.#show();
        return;
      case 'link':
        if (event.state === 'closed' && event.lost) this.#overlay.showTrouble(`Sorry, ${event.reason}.`);
        this.#quality.linkChanged(event.peer, event.state);
        return;
      case 'figures':
        this.#quality.measured(event.peer, event.rtt_ms);
        return;
      case 'saving':
        if (this.#phase === 'ended') this.#overlay.showSaving(event.waiting, event.failing);
        else this.#showUnsaved(event.failing && event.waiting >= UNSAVED_BATCHES);
        return;
      case 'saved':
        this.#saved = true;
        this.#show();
        return;
      default:
        event satisfies never;
    }
  }

  /** Whether this page is connected to the server. */
  showOnline(online: boolean): void {
    this.#overlay.online = online;
    this.#show();
  }

  /** Whether the server can store data; a game that cannot be stored does not begin. */
  showStoring(storing: boolean): void {
    this.#overlay.storing = storing;
    this.#show();
  }

  /** A player left for good. */
  showLeft(player_id: number): void {
    this.#missing.delete(player_id);
    this.#write(`${this.#partner} has left the game.${AFTER_LEAVING[this.#config?.when_left ?? 'end']}`);
    this.#show();
  }

  /** Why the next scene comes early; empty if it does not. */
  get cause(): string {
    const ends = (this.#config?.when_left ?? 'end') === 'end';
    return ends ? `${this.#partner} has left, so the game ended early. You go on from here.` : '';
  }

  /** The game goes on, or is over, without this participant. */
  showRemoved(): void {
    this.#overlay.removed = true;
    this.#enter('ended');
  }

  /** Show a text in the line under the game. */
  notify(text: string): void {
    this.#write(text);
  }

  close(): void {
    this.#hidePictures();
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
      this.#inputs = [
        new Keyboard(window, this.#held_keys, this.#props.keys),
        new GamepadKeys(this.#held_keys),
      ];
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
    if (unsaved) this.#write(UNSAVED);
    else if (this.#notice.textContent === UNSAVED) this.#write('');
  }

  #write(text: string): void {
    if (this.#notice.textContent !== text) this.#notice.textContent = text;
  }
}
