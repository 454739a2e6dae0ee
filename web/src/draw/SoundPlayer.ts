/**
 * Plays a few short synthesised sounds; nothing is downloaded.
 *
 * Nothing is heard before the participant's first gesture.
 */

interface Blip {
  from_hz: number;
  to_hz: number;
  seconds: number;
  shape: OscillatorType;
  volume: number;
}

const BLIPS: Record<string, Blip> = {
  hit: { from_hz: 520, to_hz: 380, seconds: 0.06, shape: 'triangle', volume: 0.12 },
  score: { from_hz: 440, to_hz: 880, seconds: 0.22, shape: 'triangle', volume: 0.14 },
  start: { from_hz: 330, to_hz: 660, seconds: 0.3, shape: 'sine', volume: 0.12 },
};

export class SoundPlayer {
  #context: AudioContext | null = null;
  #muted = false;

  /** Allow sound. Browsers require that this is called from an event that the participant caused. */
  unlock(): void {
    if (this.#muted || typeof AudioContext === 'undefined') return;
    this.#context ??= new AudioContext();
    if (this.#context.state === 'suspended') void this.#context.resume().catch(() => undefined);
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
  }

  play(name: string): void {
    const blip = BLIPS[name];
    const context = this.#context;
    if (this.#muted || blip === undefined || context?.state !== 'running') return;
    const begin = context.currentTime;
    const end = begin + blip.seconds;
    const oscillator = new OscillatorNode(context, { type: blip.shape, frequency: blip.from_hz });
    const volume = new GainNode(context, { gain: blip.volume });
    oscillator.frequency.exponentialRampToValueAtTime(blip.to_hz, end);
    volume.gain.exponentialRampToValueAtTime(0.0001, end);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(begin);
    oscillator.stop(end);
  }
}
