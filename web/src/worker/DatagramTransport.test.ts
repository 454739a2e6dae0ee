import { describe, expect, it } from 'vitest';
import { DatagramTransport } from './DatagramTransport';
import { TrafficShaper } from './TrafficShaper';

class FakeDataChannel {
  binaryType = 'blob';
  readyState = 'connecting';
  bufferedAmount = 0;
  sent: number[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  open(): void {
    this.readyState = 'open';
    this.onopen?.();
  }
  send(data: Uint8Array): void {
    this.sent.push(data.byteLength);
  }
  close(): void {
    this.readyState = 'closed';
  }
}

function setUp() {
  const states: [number, number, boolean][] = [];
  const through_page: number[] = [];
  const through_server: number[] = [];
  const hearing: boolean[] = [];
  const clock = { now_ms: 0 };
  let arrived = 0;
  const transport = new DatagramTransport(
    {
      sendThroughPage: (_peer, data) => through_page.push(data.byteLength),
      sendThroughServer: (_peer, data) => through_server.push(data.byteLength),
      channelState: (peer, connection, open) => states.push([peer, connection, open]),
      hearing: (_peer, _connection, direct) => hearing.push(direct),
      arrived: () => arrived++,
      now_ms: () => clock.now_ms,
    },
    new TrafficShaper(1),
  );
  const channel = new FakeDataChannel();
  const add = (connection: number, other: FakeDataChannel): void =>
    transport.addChannel(1, connection, other as unknown as RTCDataChannel);
  add(1, channel);
  return {
    transport,
    channel,
    add,
    states,
    through_page,
    through_server,
    hearing,
    clock,
    arrived: () => arrived,
  };
}

const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);

describe('DatagramTransport', () => {
  it('reports that a channel opened and closed', () => {
    const { channel, states } = setUp();
    channel.open();
    channel.onclose?.();
    expect(states).toEqual([
      [1, 1, true],
      [1, 1, false],
    ]);
  });

  it('sends on an open channel only, and drops when its buffer is full', () => {
    const { transport, channel } = setUp();
    transport.send(1, bytes(10));
    channel.open();
    transport.send(1, bytes(20));
    channel.bufferedAmount = 4097;
    transport.send(1, bytes(30));
    transport.send(2, bytes(40));
    expect(channel.sent).toEqual([20]);
  });

  it('returns the most bytes that waited in a channel since the last call', () => {
    const { transport, channel } = setUp();
    channel.open();
    for (const waiting of [10, 300, 20]) {
      channel.bufferedAmount = waiting;
      transport.send(1, bytes(5));
    }
    expect(transport.takeBuffered(1)).toBe(300);
    expect(transport.takeBuffered(1)).toBe(0);
    expect(transport.takeBuffered(2)).toBeUndefined();
    transport.openThroughPage(2, 1);
    transport.noteBuffered(2, 50);
    expect(transport.takeBuffered(2)).toBe(50);
  });

  it('keeps datagrams in the inbox until they are taken', () => {
    const { transport, channel, arrived } = setUp();
    channel.onmessage?.({ data: new ArrayBuffer(3) });
    channel.onmessage?.({ data: 'text is no datagram' });
    expect(arrived()).toBe(1);
    const [[peer, data] = []] = transport.takeInbox();
    expect([peer, data?.byteLength]).toEqual([1, 3]);
    expect(transport.takeInbox()).toEqual([]);
  });

  it('keeps the newest datagrams when nobody takes them', () => {
    const { transport } = setUp();
    for (let length = 0; length < 600; length++) transport.receive(1, new ArrayBuffer(length));
    const lengths = transport.takeInbox().map(([, data]) => data.byteLength);
    expect(lengths.length).toBe(512);
    expect(lengths.at(-1)).toBe(599);
  });

  it('closes a channel when a new one replaces it', () => {
    const { channel, add, states } = setUp();
    channel.open();
    add(2, new FakeDataChannel());
    channel.onclose?.();
    expect(channel.readyState).toBe('closed');
    expect(states).toEqual([[1, 1, true]]);
  });

  it('sends through the page if that keeps the channel', () => {
    const { transport, through_page } = setUp();
    transport.openThroughPage(2, 1);
    transport.send(2, bytes(8));
    expect(through_page).toEqual([8]);
  });

  it('sends through the server as well while the page wants that', () => {
    const { transport, channel, through_server } = setUp();
    channel.open();
    transport.setRelay(1, true);
    transport.send(1, bytes(8));
    transport.setRelay(1, false);
    transport.send(1, bytes(9));
    expect(through_server).toEqual([8]);
    expect(channel.sent).toEqual([8, 9]);
  });

  it('reports that a channel fell silent after its first datagram, and that datagrams arrive again', () => {
    const { transport, channel, hearing, clock } = setUp();
    channel.open();
    const play = (seconds: number): void => {
      for (const end_ms = clock.now_ms + 1000 * seconds; clock.now_ms < end_ms; clock.now_ms += 20)
        transport.send(1, bytes(8));
    };
    play(5);
    expect(hearing).toEqual([]);
    transport.receive(1, new ArrayBuffer(3));
    play(0.7);
    expect(hearing).toEqual([]);
    play(0.3);
    expect(hearing).toEqual([false]);
    transport.receive(1, new ArrayBuffer(3), false);
    expect(hearing).toEqual([false]);
    transport.receive(1, new ArrayBuffer(3));
    expect(hearing).toEqual([false, true]);
  });

  it('reports no silence for a time in which this worker was busy', () => {
    const { transport, hearing, clock } = setUp();
    transport.receive(1, new ArrayBuffer(3));
    transport.send(1, bytes(8));
    clock.now_ms += 5000;
    transport.send(1, bytes(8));
    expect(hearing).toEqual([]);
  });
});
