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

function table() {
  const states: [number, number, boolean][] = [];
  const through_page: number[] = [];
  const through_server: number[] = [];
  const hearing: boolean[] = [];
  const clock = { now_ms: 0 };
  let arrived = 0;
  const links = new DatagramTransport(
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
    links.addChannel(1, connection, other as unknown as RTCDataChannel);
  add(1, channel);
  return {
    links,
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
  it('says when a channel opens and closes', () => {
    const { channel, states } = table();
    channel.open();
    channel.onclose?.();
    expect(states).toEqual([
      [1, 1, true],
      [1, 1, false],
    ]);
  });

  it('sends on an open channel only, and drops when its buffer is full', () => {
    const { links, channel } = table();
    links.send(1, bytes(10));
    channel.open();
    links.send(1, bytes(20));
    channel.bufferedAmount = 4097;
    links.send(1, bytes(30));
    links.send(2, bytes(40));
    expect(channel.sent).toEqual([20]);
  });

  it('tells the most that waited in a channel, each second anew', () => {
    const { links, channel } = table();
    channel.open();
    for (const waiting of [10, 300, 20]) {
      channel.bufferedAmount = waiting;
      links.send(1, bytes(5));
    }
    expect(links.takeBuffered(1)).toBe(300);
    expect(links.takeBuffered(1)).toBe(0);
    expect(links.takeBuffered(2)).toBeUndefined();
    links.openThroughPage(2, 1);
    links.noteBuffered(2, 50);
    expect(links.takeBuffered(2)).toBe(50);
  });

  it('keeps datagrams with their arrival until they are taken', () => {
    const { links, channel, arrived } = table();
    channel.onmessage?.({ data: new ArrayBuffer(3) });
    channel.onmessage?.({ data: 'text is no datagram' });
    expect(arrived()).toBe(1);
    const [[peer, data] = []] = links.takeInbox();
    expect([peer, data?.byteLength]).toEqual([1, 3]);
    expect(links.takeInbox()).toEqual([]);
  });

  it('keeps the newest when nobody takes them', () => {
    const { links } = table();
    for (let length = 0; length < 600; length++) links.receive(1, new ArrayBuffer(length));
    const lengths = links.takeInbox().map(([, data]) => data.byteLength);
    expect(lengths.length).toBe(512);
    expect(lengths.at(-1)).toBe(599);
  });

  it('forgets an old channel when a new one comes', () => {
    const { channel, add, states } = table();
    channel.open();
    add(2, new FakeDataChannel());
    channel.onclose?.();
    expect(channel.readyState).toBe('closed');
    expect(states).toEqual([[1, 1, true]]);
  });

  it('sends through the page where the browser kept the channel there', () => {
    const { links, through_page } = table();
    links.openThroughPage(2, 1);
    links.send(2, bytes(8));
    expect(through_page).toEqual([8]);
  });

  it('sends over both lanes while the page wants it', () => {
    const { links, channel, through_server } = table();
    channel.open();
    links.setRelay(1, true);
    links.send(1, bytes(8));
    links.setRelay(1, false);
    links.send(1, bytes(9));
    expect(through_server).toEqual([8]);
    expect(channel.sent).toEqual([8, 9]);
  });

  it('says when a channel that brought something falls silent, and when it brings something again', () => {
    const { links, channel, hearing, clock } = table();
    channel.open();
    const play = (seconds: number): void => {
      for (const end_ms = clock.now_ms + 1000 * seconds; clock.now_ms < end_ms; clock.now_ms += 20)
        links.send(1, bytes(8));
    };
    play(5);
    expect(hearing).toEqual([]);
    links.receive(1, new ArrayBuffer(3));
    play(0.7);
    expect(hearing).toEqual([]);
    play(0.3);
    expect(hearing).toEqual([false]);
    links.receive(1, new ArrayBuffer(3), false);
    expect(hearing).toEqual([false]);
    links.receive(1, new ArrayBuffer(3));
    expect(hearing).toEqual([false, true]);
  });

  it('blames nobody for a silence in which this worker was busy itself', () => {
    const { links, hearing, clock } = table();
    links.receive(1, new ArrayBuffer(3));
    links.send(1, bytes(8));
    clock.now_ms += 5000;
    links.send(1, bytes(8));
    expect(hearing).toEqual([]);
  });
});
