/**
 * The worker that plays: Python simulates here, and the data channels end here.
 *
 * The page never touches a game datagram unless its browser refuses to transfer channels.
 */

import type { BundleInfo, FromWorker, GameConfig, RuntimeInfo, ToWorker } from '../protocol/messages';
import { bootPython, type PyProxyBuffer, type PythonWorker } from './bootPython';
import { DatagramTransport } from './DatagramTransport';
import { systemClock, TickLoop } from './TickLoop';
import { TrafficShaper } from './TrafficShaper';

interface WorkerScope {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const page = self as unknown as WorkerScope;
const shaper = new TrafficShaper(1);
/** Enough turns of the event loop to see all that arrived before. */
const DRAIN_MS = 20;

let python: PythonWorker | null = null;
let loop: TickLoop | null = null;
/** The game that Python simulates. Its messages are marked with it, as the page may have begun the next one already. */
let game_id = '';
/** What the page asked for before Python was up, in order. */
let waiting: ((python: PythonWorker) => void)[] = [];

const links = new DatagramTransport(
  {
    sendThroughPage: (peer, data) => page.postMessage({ kind: 'send', peer, data, direct: true }, [data]),
    sendThroughServer: (peer, data) => page.postMessage({ kind: 'send', peer, data, direct: false }, [data]),
    channelState: (peer, connection, open) => {
      page.postMessage({ kind: 'channel_state', peer, connection, open });
      withPython((worker) => worker.channel_state(peer, open));
    },
    hearing: (peer, connection, direct) => page.postMessage({ kind: 'hearing', peer, connection, direct }),
    arrived: () => loop?.arrived(),
    now_ms: () => performance.now(),
  },
  shaper,
);

/** The methods Python calls. */
const host = {
  post(kind: string, payload_json: string): void {
    page.postMessage({ game_id, kind, ...JSON.parse(payload_json) } as FromWorker);
  },

  draw(
    ops: PyProxyBuffer,
    strings_json: string | null | undefined,
    pixels: PyProxyBuffer | null | undefined,
    rows: number,
    columns: number,
    width: number,
    height: number,
    corrected: boolean,
    frame: number,
  ): void {
    const view = ops.getBuffer('f32');
    const copied = view.data.slice();
    view.release();
    const strings = strings_json ? (JSON.parse(strings_json) as string[]) : [];
    const now = performance.now();
    const message = {
      kind: 'draw',
      game_id,
      ops: copied,
      strings,
      width,
      height,
      corrected,
      frame,
      now,
    } as const;
    if (pixels) {
      const bytes = new Uint8ClampedArray(copyBytes(pixels).buffer);
      page.postMessage({ ...message, pixels: bytes, pixels_shape: [rows, columns] }, [
        copied.buffer,
        bytes.buffer,
      ]);
    } else {
      page.postMessage(message, [copied.buffer]);
    }
  },

  send(peer: number, data: Uint8Array | PyProxyBuffer): void {
    links.send(peer, copyBytes(data));
  },

  /** Undefined becomes Python's None. */
  buffered(peer: number): number | undefined {
    return links.takeBuffered(peer);
  },

  upload(number: number, data: Uint8Array | PyProxyBuffer): void {
    const body = copyBytes(data).buffer;
    page.postMessage({ kind: 'upload', game_id, number, body }, [body]);
  },
};

/** Bytes that own their whole buffer, from whatever Python handed over. */
function copyBytes(data: Uint8Array | PyProxyBuffer): Uint8Array<ArrayBuffer> {
  if (data instanceof Uint8Array) return new Uint8Array(data);
  const view = data.getBuffer('u8');
  const copied = new Uint8Array(view.data);
  view.release();
  return copied;
}

page.onmessage = ({ data: message }) => {
  switch (message.kind) {
    case 'boot':
      void startPython(message.runtime, message.bundle);
      return;
    case 'prepare':
      withPython((worker) => worker.prepare(message.scene_index));
      return;
    case 'start':
      withPython((worker) => startGame(worker, message.config));
      return;
    case 'channel':
      links.addChannel(message.peer, message.connection, message.channel);
      return;
    case 'channel_open':
      links.openThroughPage(message.peer, message.connection);
      return;
    case 'channel_closed':
      links.closeThroughPage(message.peer, message.connection);
      return;
    case 'datagram':
      links.receive(message.peer, message.data, message.direct);
      return;
    case 'relay':
      links.setRelay(message.peer, message.on);
      return;
    case 'keys':
      withPython((worker) => worker.keys(JSON.stringify(message.pressed)));
      return;
    case 'conditions':
      shaper.setConditions(message);
      return;
    case 'visibility':
      withPython((worker) => worker.visibility(message.hidden));
      return;
    case 'peer_left':
      withPython((worker) => worker.peer_left(message.peer));
      return;
    case 'peer_returned':
      withPython((worker) => worker.peer_returned(message.peer, message.incarnation));
      return;
    case 'watch':
      withPython((worker) => {
        game_id = message.config.game_id;
        worker.watch(JSON.stringify(message.config));
        loop?.start();
      });
      return;
    case 'frames':
      withPython((worker) => worker.frames(message.first, new Uint8Array(message.data)));
      return;
    case 'link':
      withPython((worker) => worker.link(message.peer, message.link));
      return;
    case 'path':
      if (message.buffered_amount !== null) links.noteBuffered(message.peer, message.buffered_amount);
      // Once a second: while Python loads, nobody has a use for it.
      if (python !== null) withPython((worker) => worker.path(message.peer, JSON.stringify(message.path)));
      return;
    case 'uploaded':
      withPython((worker) => worker.uploaded?.(message.number, message.ok));
      return;
    case 'stop':
      withPython((worker) => worker.stop());
      links.closeAll();
      return;
  }
};

async function startPython(runtime: RuntimeInfo, bundle: BundleInfo): Promise<void> {
  try {
    python = await bootPython(runtime, bundle, host, (stage, fraction) =>
      page.postMessage({ kind: 'progress', stage, fraction }),
    );
  } catch (cause) {
    page.postMessage({
      kind: 'error',
      error: 'The game could not be loaded.',
      hint: 'Check the connection to the internet and try again.',
      detail: describe(cause),
    });
    return;
  }
  loop = new TickLoop(python, () => links.takeInbox(), systemClock(), reportFailure);
  page.postMessage({ kind: 'ready' });
  const asked = waiting;
  waiting = [];
  for (const call of asked) withPython(call);
}

function startGame(worker: PythonWorker, config: GameConfig): void {
  game_id = config.game_id;
  links.setPace(config.fps);
  worker.start(JSON.stringify(config));
  // What came while Python was busy waits in the event queue. It is stale: an answer to it would look to the peer like
  // seconds of latency, and the peers repeat themselves anyway.
  loop?.stop();
  setTimeout(() => {
    links.takeInbox();
    loop?.start();
  }, DRAIN_MS);
}

function withPython(call: (worker: PythonWorker) => void): void {
  if (python === null) {
    waiting.push(call);
    return;
  }
  try {
    call(python);
  } catch (cause) {
    reportFailure(cause);
  }
}

function reportFailure(cause: unknown): void {
  page.postMessage({
    kind: 'error',
    error: 'The game stopped because of a fault in its program.',
    hint: 'Reload the page to try again.',
    detail: describe(cause),
  });
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
