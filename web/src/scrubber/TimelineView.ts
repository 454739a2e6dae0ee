/** A timeline of the whole game: every player's inputs, which of them were guesses, and the round trips below. */
import { element } from '../dom';
import { playerName, type RecordedGame, wasGuessed, wrongGuesses } from './recordedGame';

const ROW = 22;
const GAP = 8;
const RTT = 64;
const LEFT = 132;
const RIGHT = 12;
const TOP = 18;
/** Distinguishable by colour-blind people (Okabe and Ito). */
const COLORS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#0072b2', '#d55e00', '#f0e442'];

export class TimelineView {
  readonly root: HTMLElement;
  readonly #game: RecordedGame;
  readonly #canvas = element('canvas', { class: 'timeline' });
  readonly #cursor = element('div', { class: 'cursor' });
  #viewer: number;
  #frame = 0;

  constructor(game: RecordedGame, viewer: number, seek: (frame: number) => void) {
    this.#game = game;
    this.#viewer = viewer;
    this.root = element('div', { class: 'timeline-box' }, [this.#canvas, this.#cursor]);
    const seekTo = (event: PointerEvent): void => {
      const box = this.#canvas.getBoundingClientRect();
      const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
      seek(Math.round(Math.min(1, Math.max(0, part)) * game.frames));
    };
    this.#canvas.addEventListener('pointerdown', (event) => {
      this.#canvas.setPointerCapture(event.pointerId);
      seekTo(event);
    });
    this.#canvas.addEventListener('pointermove', (event) => {
      if (this.#canvas.hasPointerCapture(event.pointerId)) seekTo(event);
    });
    new ResizeObserver(() => this.#paint()).observe(this.#canvas);
  }

  view(viewer: number): void {
    this.#viewer = viewer;
    this.#paint();
  }

  moveTo(frame: number): void {
    this.#frame = frame;
    const width = this.#canvas.clientWidth - LEFT - RIGHT;
    this.#cursor.style.transform = `translateX(${LEFT + (frame / this.#game.frames) * width}px)`;
  }

  #paint(): void {
    const game = this.#game;
    const players = game.agents.length;
    const height = TOP + players * (ROW + GAP) + RTT + 26;
    this.#canvas.style.height = `${height}px`;
    const width = this.#canvas.clientWidth;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.round(height * ratio);
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const soft = style.getPropertyValue('--ink-soft');
    const x = (frame: number): number => LEFT + (frame / game.frames) * (width - LEFT - RIGHT);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';

    this.#paintEpisodes(context, x, soft, height);
    for (let player = 0; player < players; player++) {
      const y = TOP + player * (ROW + GAP);
      context.fillStyle = style.getPropertyValue('--ink');
      context.fillText(playerName(game, player), 0, y + ROW / 2, LEFT - 10);
      this.#paintInputs(context, x, player, y);
      if (player !== this.#viewer) this.#paintGuesses(context, x, player, y, style);
    }
    this.#paintRoundTrips(context, x, TOP + players * (ROW + GAP) + 6, soft);
    this.moveTo(this.#frame);
  }

  #paintEpisodes(
    context: CanvasRenderingContext2D,
    x: (frame: number) => number,
    soft: string,
    height: number,
  ): void {
    context.fillStyle = soft;
    context.globalAlpha = 0.5;
    for (const [, first] of this.#game.episodes) context.fillRect(x(first), 0, 1, height - 20);
    context.globalAlpha = 1;
    let free = 0;
    for (const [episode, first] of this.#game.episodes) {
      if (x(first) < free) continue;
      context.fillText(`episode ${episode}`, x(first) + 4, 7);
      free = x(first) + 70;
    }
  }

  #paintInputs(
    context: CanvasRenderingContext2D,
    x: (frame: number) => number,
    player: number,
    y: number,
  ): void {
    const actions = this.#game.actions[player] ?? [];
    const kinds = [...new Set(actions)].sort();
    let start = 0;
    for (let frame = 1; frame <= actions.length; frame++) {
      if (frame < actions.length && actions[frame] === actions[start]) continue;
      context.fillStyle = COLORS[kinds.indexOf(actions[start] ?? '') % COLORS.length] ?? '#888';
      context.globalAlpha = 0.75;
      context.fillRect(x(start), y, Math.max(0.5, x(frame) - x(start)), ROW);
      context.globalAlpha = 1;
      start = frame;
    }
  }

  #paintGuesses(
    context: CanvasRenderingContext2D,
    x: (frame: number) => number,
    player: number,
    y: number,
    style: CSSStyleDeclaration,
  ): void {
    const game = this.#game;
    const wide = Math.max(1, x(1) - x(0));
    for (let frame = 0; frame < game.frames; frame++) {
      if (wasGuessed(game, this.#viewer, player, frame)) {
        context.fillStyle = style.getPropertyValue('--ink-soft');
        context.fillRect(x(frame), y + ROW, wide, 2);
      }
      if (wrongGuesses(game, this.#viewer, frame).some((wrong) => wrong.player === player)) {
        context.fillStyle = style.getPropertyValue('--poor');
        context.fillRect(x(frame), y - 2, Math.max(1.5, wide), ROW + 6);
      }
    }
  }

  #paintRoundTrips(
    context: CanvasRenderingContext2D,
    x: (frame: number) => number,
    y: number,
    soft: string,
  ): void {
    const rows = this.#game.rtt[this.#viewer] ?? [];
    const most = Math.max(50, ...rows.map(([, , ms]) => ms));
    context.fillStyle = soft;
    context.fillText('round trip, ms', 0, y + 8, LEFT - 10);
    context.fillText(String(Math.round(most)), LEFT - 30, y + 4, 26);
    context.fillText('0', LEFT - 12, y + RTT, 10);
    context.globalAlpha = 0.3;
    context.fillRect(LEFT, y + RTT, x(this.#game.frames) - LEFT, 1);
    context.globalAlpha = 1;
    for (const peer of new Set(rows.map(([, other]) => other))) {
      context.strokeStyle = COLORS[peer % COLORS.length] ?? '#888';
      context.lineWidth = 1.5;
      context.beginPath();
      for (const [frame, other, ms] of rows) {
        if (other === peer) context.lineTo(x(frame), y + RTT - (ms / most) * RTT);
      }
      context.stroke();
    }
  }
}
