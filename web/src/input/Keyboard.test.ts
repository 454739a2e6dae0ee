import { describe, expect, it } from 'vitest';
import { HeldKeys } from './HeldKeys';
import { Keyboard } from './Keyboard';

function table() {
  const target = new EventTarget();
  const told: string[][] = [];
  const keyboard = new Keyboard(target, new HeldKeys((keys) => told.push(keys)), ['ArrowUp', ' ']);
  const fire = (type: string, properties: Partial<KeyboardEvent> = {}): Event => {
    const event = new Event(type, { cancelable: true });
    const key = {
      key: '',
      code: '',
      repeat: false,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      ...properties,
    };
    for (const [name, value] of Object.entries(key)) Object.defineProperty(event, name, { value });
    target.dispatchEvent(event);
    return event;
  };
  return { told, keyboard, fire };
}

describe('Keyboard', () => {
  it('tells the keys that are held', () => {
    const { told, fire } = table();
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp' });
    fire('keydown', { key: ' ', code: 'Space' });
    fire('keyup', { key: 'ArrowUp', code: 'ArrowUp' });
    expect(told).toEqual([['ArrowUp'], ['ArrowUp', ' '], [' ']]);
  });

  it('ignores repeats', () => {
    const { told, fire } = table();
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp' });
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp', repeat: true });
    expect(told.length).toBe(1);
  });

  it('releases a key whose name Shift changed meanwhile', () => {
    const { told, fire } = table();
    fire('keydown', { key: 'a', code: 'KeyA' });
    fire('keyup', { key: 'A', code: 'KeyA' });
    expect(told.at(-1)).toEqual([]);
  });

  it('lets everything go when the window loses the focus', () => {
    const { told, fire } = table();
    fire('keydown', { key: 'a', code: 'KeyA' });
    fire('blur');
    expect(told.at(-1)).toEqual([]);
  });

  it('takes only the keys of the game away from the browser', () => {
    const { fire } = table();
    expect(fire('keydown', { key: ' ', code: 'Space' }).defaultPrevented).toBe(true);
    expect(fire('keydown', { key: 'Tab', code: 'Tab' }).defaultPrevented).toBe(false);
    expect(fire('keydown', { key: ' ', code: 'Space', ctrlKey: true }).defaultPrevented).toBe(false);
  });

  it('hears nothing after it was closed, and has let go', () => {
    const { told, keyboard, fire } = table();
    fire('keydown', { key: 'a', code: 'KeyA' });
    keyboard.close();
    expect(told.at(-1)).toEqual([]);
    fire('keydown', { key: 'b', code: 'KeyB' });
    expect(told.length).toBe(2);
  });
});
