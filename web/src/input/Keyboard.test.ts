import { describe, expect, it } from 'vitest';
import { HeldKeys } from './HeldKeys';
import { Keyboard } from './Keyboard';

function setUp() {
  const target = new EventTarget();
  const reported: string[][] = [];
  const keyboard = new Keyboard(target, new HeldKeys((keys) => reported.push(keys)), ['ArrowUp', ' ']);
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
  return { reported, keyboard, fire };
}

describe('Keyboard', () => {
  it('reports the keys that are held', () => {
    const { reported, fire } = setUp();
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp' });
    fire('keydown', { key: ' ', code: 'Space' });
    fire('keyup', { key: 'ArrowUp', code: 'ArrowUp' });
    expect(reported).toEqual([['ArrowUp'], ['ArrowUp', ' '], [' ']]);
  });

  it('ignores repeats', () => {
    const { reported, fire } = setUp();
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp' });
    fire('keydown', { key: 'ArrowUp', code: 'ArrowUp', repeat: true });
    expect(reported.length).toBe(1);
  });

  it('releases a key whose name Shift changed meanwhile', () => {
    const { reported, fire } = setUp();
    fire('keydown', { key: 'a', code: 'KeyA' });
    fire('keyup', { key: 'A', code: 'KeyA' });
    expect(reported.at(-1)).toEqual([]);
  });

  it('releases all keys when the window loses the focus', () => {
    const { reported, fire } = setUp();
    fire('keydown', { key: 'a', code: 'KeyA' });
    fire('blur');
    expect(reported.at(-1)).toEqual([]);
  });

  it('keeps only the keys of the game from the browser', () => {
    const { fire } = setUp();
    expect(fire('keydown', { key: ' ', code: 'Space' }).defaultPrevented).toBe(true);
    expect(fire('keydown', { key: 'Tab', code: 'Tab' }).defaultPrevented).toBe(false);
    expect(fire('keydown', { key: ' ', code: 'Space', ctrlKey: true }).defaultPrevented).toBe(false);
  });

  it('releases its keys when it is closed, and reports nothing more', () => {
    const { reported, keyboard, fire } = setUp();
    fire('keydown', { key: 'a', code: 'KeyA' });
    keyboard.close();
    expect(reported.at(-1)).toEqual([]);
    fire('keydown', { key: 'b', code: 'KeyB' });
    expect(reported.length).toBe(2);
  });
});
