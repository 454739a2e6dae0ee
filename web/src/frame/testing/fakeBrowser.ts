/** Just enough of a browser for the participant's page to run in Node: elements, a canvas, a worker, storage. */
import { vi } from 'vitest';
import { FakeConnection } from '../../links/testing/FakeConnection';
import type { FromWorker, ToWorker } from '../../protocol/messages';

type Listener = (event: object) => void;

export class FakeElement {
  readonly attributes = new Map<string, string>();
  readonly dataset: Record<string, string> = {};
  readonly style = { setProperty: () => undefined };
  readonly classList = { replace: () => undefined };
  readonly clientWidth = 100;
  readonly clientHeight = 100;
  readonly #listeners = new Map<string, Listener[]>();
  children: (FakeElement | string)[] = [];
  parent: FakeElement | null = null;
  hidden = false;
  disabled = false;
  innerHTML = '';
  /** How many images and shapes were painted on it, if it is a canvas. */
  painted = 0;

  constructor(readonly tag: string) {}

  get textContent(): string {
    const texts = this.children.map((child) => (typeof child === 'string' ? child : child.textContent));
    return this.innerHTML + texts.join(' ');
  }

  set textContent(text: string) {
    this.children = [text];
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
    if (name === 'hidden') this.hidden = true;
    if (name === 'disabled') this.disabled = true;
  }

  append(...children: (FakeElement | string)[]): void {
    this.#adopt(children);
    this.children.push(...children);
  }

  prepend(...children: (FakeElement | string)[]): void {
    this.#adopt(children);
    this.children.unshift(...children);
  }

  replaceChildren(...children: (FakeElement | string)[]): void {
    this.#adopt(children);
    this.children = children;
  }

  remove(): void {
    if (this.parent !== null) this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  addEventListener(kind: string, listener: Listener): void {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  removeEventListener(): void {}

  focus(): void {}

  fire(kind: string): void {
    for (const listener of this.#listeners.get(kind) ?? []) listener({});
  }

  getContext(): object {
    const paint = () => {
      this.painted += 1;
    };
    return new Proxy(
      {},
      { get: (_, name) => (name === 'fillRect' ? paint : () => undefined), set: () => true },
    );
  }

  /** Find by tag, or by `data-testid`. */
  querySelector(name: string): FakeElement | null {
    for (const child of this.children) {
      if (typeof child === 'string') continue;
      if (child.tag === name || child.attributes.get('data-testid') === name) return child;
      const found = child.querySelector(name);
      if (found !== null) return found;
    }
    return null;
  }

  #adopt(children: (FakeElement | string)[]): void {
    for (const child of children) {
      if (typeof child === 'string') continue;
      child.remove();
      child.parent = this;
    }
  }
}

/** The worker that the page started last. */
export class FakeWorker {
  static last: FakeWorker;
  readonly posted: ToWorker[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;

  constructor() {
    FakeWorker.last = this;
  }

  postMessage(message: ToWorker): void {
    this.posted.push(message);
  }

  /** Let the worker say something. */
  say(message: FromWorker): void {
    this.onmessage?.({ data: message });
  }

  kinds(): string[] {
    return this.posted.map((message) => message.kind);
  }
}

export interface FakeBrowser {
  body: FakeElement;
  /** Fire an event of the window. */
  fire(kind: string): void;
  /** Let the screen draw once. */
  drawScreen(): void;
}

/** Install the browser as globals. `vi.unstubAllGlobals()` takes it away again. */
export function installFakeBrowser(answer: (url: string) => object): FakeBrowser {
  const body = new FakeElement('body');
  const page = new FakeElement('window');
  const storage = { getItem: () => null, setItem: () => undefined };
  const frames: (() => void)[] = [];
  const globals = {
    document: {
      body,
      title: '',
      hidden: false,
      createElement: (tag: string) => new FakeElement(tag),
      addEventListener: () => undefined,
    },
    window: Object.assign(page, { devicePixelRatio: 1 }),
    navigator: {},
    location: { search: '', reload: () => undefined },
    sessionStorage: storage,
    localStorage: storage,
    addEventListener: (kind: string, listener: Listener) => page.addEventListener(kind, listener),
    removeEventListener: () => undefined,
    scrollTo: () => undefined,
    matchMedia: () => ({ matches: false }),
    requestAnimationFrame: (draw: () => void) => frames.push(draw),
    cancelAnimationFrame: () => undefined,
    ResizeObserver: class {
      observe(): void {}
      disconnect(): void {}
    },
    Worker: FakeWorker,
    RTCPeerConnection: FakeConnection,
    fetch: async (url: string) => new Response(JSON.stringify(answer(url))),
  };
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  return {
    body,
    fire: (kind) => page.fire(kind),
    drawScreen: () => {
      for (const draw of frames.splice(0)) draw();
    },
  };
}
