import { expect, it } from 'vitest';
import type { FromWorker } from '../protocol/messages';
import type { PyProxyBuffer } from './bootPython';
import { createPythonHost } from './pythonHost';

function setUp() {
  const posted: FromWorker[] = [];
  const transferred: Transferable[][] = [];
  const sent: [number, Uint8Array][] = [];
  const host = createPythonHost(
    (message, transfer = []) => {
      posted.push(message);
      transferred.push(transfer);
    },
    { send: (peer, data) => sent.push([peer, data]), takeBuffered: (peer) => (peer === 1 ? 30 : undefined) },
    () => 'game1',
  );
  return { host, posted, transferred, sent };
}

/** A Python object with a buffer; `held` is how many views of it are not released. */
function buffer(data: Float32Array | Uint8Array) {
  const python = {
    held: 0,
    getBuffer() {
      python.held += 1;
      return { data, release: () => (python.held -= 1) };
    },
  };
  return python as typeof python & PyProxyBuffer;
}

it('a picture is posted with its game, and its image with rows and columns', () => {
  const { host, posted, transferred } = setUp();
  const ops = buffer(Float32Array.from([0, -1, 0]));
  const pixels = buffer(new Uint8Array(2 * 5 * 3).fill(7));
  host.draw(ops, '["red"]', pixels, 2, 5, 90, 60, true, 12);
  expect(posted).toMatchObject([
    {
      kind: 'draw',
      game_id: 'game1',
      strings: ['red'],
      pixels_shape: [2, 5],
      width: 90,
      height: 60,
      corrected: true,
      frame: 12,
    },
  ]);
  expect(posted[0]?.kind === 'draw' && posted[0].pixels?.length).toBe(30);
  expect(transferred[0]?.length).toBe(2);
  expect([ops.held, pixels.held]).toEqual([0, 0]);
});

it('a picture without an image has no pixels', () => {
  const { host, posted, transferred } = setUp();
  host.draw(buffer(Float32Array.from([0, -1, 0])), undefined, undefined, 0, 0, 90, 60, false, 12);
  expect(posted[0]).not.toHaveProperty('pixels');
  expect(posted[0]).toMatchObject({ strings: [] });
  expect(transferred[0]?.length).toBe(1);
});

it('bytes for the network are copies, as Python reuses its memory', () => {
  const { host, posted, sent } = setUp();
  const memory = Uint8Array.from([1, 2, 3]);
  host.send(1, memory);
  host.upload(4, buffer(memory));
  memory.fill(0);
  expect(sent).toEqual([[1, Uint8Array.from([1, 2, 3])]]);
  expect(posted).toEqual([
    { kind: 'upload', game_id: 'game1', number: 4, body: Uint8Array.from([1, 2, 3]).buffer },
  ]);
});

it('messages are posted as Python wrote them, and bytes that wait are counted', () => {
  const { host, posted } = setUp();
  host.post('{"kind": "closed", "game_id": "game0"}');
  expect(posted).toEqual([{ kind: 'closed', game_id: 'game0' }]);
  expect([host.buffered(1), host.buffered(2)]).toEqual([30, undefined]);
});
