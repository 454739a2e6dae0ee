import { describe, expect, it } from 'vitest';
import { Links } from './Links';
import { Shaper } from './shaper';

class Channel {
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
  const states: [number, boolean][] = [];
  const through_page: number[] = [];
  let arrived = 0;
  const links = new Links(
    {
      sendThroughPage: (_peer, data) => through_page.push(data.byteLength),
      channelState: (peer, open) => states.push([peer, open]),
      arrived: () => arrived++,
    },
    new Shaper(1),
  );
  const channel = new Channel();
  const add = (other: Channel): void => links.addChannel(1, other as unknown as RTCDataChannel);
  add(channel);
  return { links, channel, add, states, through_page, arrived: () => arrived };
}

const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);

describe('Links', () => {
  it('says when a channel opens and closes', () => {
    const { channel, states } = table();
    channel.open();
    channel.onclose?.();
    expect(states).toEqual([
      [1, true],
      [1, false],
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
    add(new Channel());
    channel.onclose?.();
    expect(channel.readyState).toBe('closed');
    expect(states).toEqual([[1, true]]);
  });

  it('sends through the page where the browser kept the channel there', () => {
    const { links, through_page } = table();
    links.openThroughPage(2);
    links.send(2, bytes(8));
    expect(through_page).toEqual([8]);
  });
});
