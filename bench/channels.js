// Runs in a page: connects pairs of peer connections on this page, whose channels carry datagrams at a game's rate, both ways.
// Resolves to samples of the age of the newest datagram that has arrived, in milliseconds, for each direction.
async (options, { pairs, hz, bytes, seconds }) => {
  const LOOK_MS = 10;
  const MAX_BUFFERED_BYTES = 4096;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const connect = async () => {
    const ends = [new RTCPeerConnection(), new RTCPeerConnection()];
    const channels = ends.map((end, index) => {
      end.onicecandidate = ({ candidate }) => candidate && ends[1 - index].addIceCandidate(candidate);
      const channel = end.createDataChannel('bench', { ordered: false, negotiated: true, id: 0, ...options });
      channel.binaryType = 'arraybuffer';
      return channel;
    });
    const opened = channels.map((channel) => new Promise((resolve) => (channel.onopen = resolve)));
    for (const [one, other] of [ends, [...ends].reverse()]) {
      await one.setLocalDescription();
      await other.setRemoteDescription(one.localDescription);
    }
    await Promise.all(opened);
    return { ends, channels };
  };

  // Sends from one channel to the other; returns a function that stops it and returns the ages.
  const flow = (from, to) => {
    let newest_ms = 0;
    const ages_ms = [];
    to.onmessage = ({ data }) => {
      newest_ms = Math.max(newest_ms, new DataView(data).getFloat64(0));
    };
    const sending = setInterval(() => {
      const datagram = new DataView(new ArrayBuffer(bytes));
      datagram.setFloat64(0, performance.now());
      if (from.bufferedAmount <= MAX_BUFFERED_BYTES) from.send(datagram.buffer);
    }, 1000 / hz);
    const looking = setInterval(() => {
      if (newest_ms > 0) ages_ms.push(performance.now() - newest_ms);
    }, LOOK_MS);
    return () => {
      clearInterval(sending);
      clearInterval(looking);
      return ages_ms;
    };
  };

  const all = await Promise.all(Array.from({ length: pairs }, connect));
  const stops = all.flatMap(({ channels: [one, other] }) => [flow(one, other), flow(other, one)]);
  await pause(1000 * seconds);
  const ages_ms = stops.map((stop) => stop());
  for (const { ends } of all) for (const end of ends) end.close();
  return ages_ms;
}
