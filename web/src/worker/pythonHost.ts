/** The methods that Python calls: it posts messages, draws, sends datagrams and hands over batches for upload. */
import type { FromPython, FromWorker } from '../protocol/messages';
import type { PyProxyBuffer } from './bootPython';
import type { DatagramTransport } from './DatagramTransport';

export type PostToPage = (message: FromWorker, transfer?: Transferable[]) => void;

export type PythonHost = ReturnType<typeof createPythonHost>;

/** @param currentGame Returns the id of the game that Python simulates. */
export function createPythonHost(
  post: PostToPage,
  transport: Pick<DatagramTransport, 'send' | 'takeBuffered'>,
  currentGame: () => string,
) {
  return {
    post(message_json: string): void {
      post(JSON.parse(message_json) as FromPython);
    },

    /** Post a picture. `rows` and `columns` are those of `pixels`, `width` and `height` those of the world. */
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
      const game_id = currentGame();
      const message = { game_id, ops: copied, strings, width, height, corrected, frame, now };
      if (pixels) {
        const bytes = new Uint8ClampedArray(copyBytes(pixels).buffer);
        post({ kind: 'draw', ...message, pixels: bytes, pixels_shape: [rows, columns] }, [
          copied.buffer,
          bytes.buffer,
        ]);
      } else {
        post({ kind: 'draw', ...message }, [copied.buffer]);
      }
    },

    send(peer: number, data: Uint8Array | PyProxyBuffer): void {
      transport.send(peer, copyBytes(data));
    },

    /** Return the most bytes that waited in a peer's channel; undefined, which becomes Python's None, without one. */
    buffered(peer: number): number | undefined {
      return transport.takeBuffered(peer);
    },

    upload(number: number, data: Uint8Array | PyProxyBuffer): void {
      const body = copyBytes(data).buffer;
      post({ kind: 'upload', game_id: currentGame(), number, body }, [body]);
    },
  };
}

/** Return a copy that owns its whole buffer, so that it can be transferred. */
function copyBytes(data: Uint8Array | PyProxyBuffer): Uint8Array<ArrayBuffer> {
  if (data instanceof Uint8Array) return new Uint8Array(data);
  const view = data.getBuffer('u8');
  const copied = new Uint8Array(view.data);
  view.release();
  return copied;
}
