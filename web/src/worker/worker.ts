/**
 * Entry of the worker in which the game runs: Python simulates here, and the data channels end here.
 *
 * Game datagrams never pass through the page, unless its browser cannot transfer channels.
 */

import type { BundleInfo, FromWorker, GameConfig, RuntimeInfo, ToWorker } from '../protocol/messages';
import { bootPython, type PythonWorker } from './bootPython';
import { DatagramTransport } from './DatagramTransport';
import { createPythonHost } from './pythonHost';
import { systemClock, TickLoop } from './TickLoop';
import { TrafficShaper } from './TrafficShaper';

interface WorkerScope {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const page = self as unknown as WorkerScope;
const shaper = new TrafficShaper(1);
/** Long enough for the event loop to deliver every message that arrived before. */
const DRAIN_MS = 20;

let python: PythonWorker | null = null;
let loop: TickLoop | null = null;
/** The game that Python simulates. Its messages are marked with it, as the page may have begun the next one already. */
let game_id = '';
/** Calls that the page requested before Python had started, in order. */
let queued: ((python: PythonWorker) => void)[] = [];

const transport = new DatagramTransport(
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

const host = createPythonHost(
  (message, transfer = []) => page.postMessage(message, transfer),
  transport,
  () => game_id,
);

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
      transport.addChannel(message.peer, message.connection, message.channel);
      return;
    case 'channel_open':
      transport.openThroughPage(message.peer, message.connection);
      return;
    case 'channel_closed':
      transport.closeThroughPage(message.peer, message.connection);
      return;
    case 'datagram':
      transport.receive(message.peer, message.data, message.direct);
      return;
    case 'relay':
      transport.setRelay(message.peer, message.on);
      return;
    case 'keys':
      withPython((worker) => worker.keys(message.pressed));
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
      if (message.buffered_amount !== null) transport.noteBuffered(message.peer, message.buffered_amount);
      // Sent every second, and useless while Python loads: do not queue it.
      if (python !== null) withPython((worker) => worker.path(message.peer, JSON.stringify(message.path)));
      return;
    case 'stop':
      withPython((worker) => worker.stop());
      transport.closeAll();
      return;
    default:
      message satisfies never;
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
  loop = new TickLoop(python, () => transport.takeInbox(), systemClock(), reportFailure);
  page.postMessage({ kind: 'ready' });
  const calls = queued;
  queued = [];
  for (const call of calls) withPython(call);
}

function startGame(worker: PythonWorker, config: GameConfig): void {
  game_id = config.game_id;
  transport.setPace(config.fps);
  worker.start(JSON.stringify(config));
  // Datagrams that arrived while Python was busy are stale: answering them would look to the peers like seconds of
  // latency. Drop them; peers repeat themselves anyway.
  loop?.stop();
  setTimeout(() => {
    transport.takeInbox();
    loop?.start();
  }, DRAIN_MS);
}

function withPython(call: (worker: PythonWorker) => void): void {
  if (python === null) {
    queued.push(call);
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
