// Runs in the page before its own scripts. It opens a separate channel on the game's connection, so that the game does not
// see its datagrams, and it sends datagrams through the server over the page's socket.
(() => {
  if (window.linkBench) return;
  const now = () => performance.timeOrigin + performance.now();
  const bench = { opened_ms: 0, answered_ms: 0, acks_ms: [], steps: {} };
  window.linkBench = bench;
  const note = (step) => {
    bench.steps[step] ??= now();
  };

  // Pending answers by question; a lost one resolves to null.
  const waiting = new Map();
  let count = 0;
  const answered = (key, within_ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        waiting.delete(key);
        resolve(null);
      }, within_ms);
      waiting.set(key, (at_ms) => {
        clearTimeout(timer);
        waiting.delete(key);
        resolve(at_ms);
      });
    });

  // The page's worker uses the game's channel, and reports when it is open.
  window.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      this.addEventListener("message", ({ data }) => {
        if (data.kind === "channel_state" && data.open) bench.opened_ms ||= now();
      });
    }
  };

  // Directly

  let probe = null;
  window.RTCPeerConnection = class extends RTCPeerConnection {
    #note = () => {}; // a connection without the game's channel does not belong to a game
    createDataChannel(label, options) {
      const channel = super.createDataChannel(label, options);
      if (label === "game") {
        this.#note = note;
        note("connection");
        this.addEventListener("iceconnectionstatechange", () => note(`ice ${this.iceConnectionState}`));
        this.addEventListener("connectionstatechange", () => note(`connection ${this.connectionState}`));
        watch(super.createDataChannel("bench", { ...options, id: 1 }));
      }
      return channel;
    }
    async setLocalDescription(...given) {
      this.#note("describing");
      await super.setLocalDescription(...given);
      this.#note("described");
    }
    async setRemoteDescription(...given) {
      this.#note("their description");
      await super.setRemoteDescription(...given);
    }
    async addIceCandidate(...given) {
      this.#note("their candidate");
      await super.addIceCandidate(...given);
    }
  };

  const watch = (channel) => {
    probe = channel;
    channel.onopen = async () => {
      // The first ping may arrive before the other side has opened its channel.
      while (!bench.answered_ms && channel.readyState === "open") {
        await Promise.race([bench.direct(), new Promise((resolve) => setTimeout(resolve, 20))]);
      }
    };
    channel.onmessage = ({ data }) => {
      if (data.startsWith("?")) channel.send(`!${data.slice(1)}`);
      else {
        bench.answered_ms ||= now();
        waiting.get(data.slice(1))?.(performance.now());
      }
    };
  };

  // One round trip over the channel, in milliseconds, or null.
  bench.direct = async () => {
    const key = `d${++count}`;
    const sent = performance.now();
    probe.send(`?${key}`);
    const at_ms = await answered(key, 2000);
    return at_ms === null ? null : at_ms - sent;
  };

  // Through the server

  let socket = null;
  let swallow = false;
  const asked = new Map();
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      socket = this;
      // Added before the page's listener.
      this.addEventListener("message", (event) => {
        if (typeof event.data === "string") {
          const ack = /^43(\d+)\[/.exec(event.data)?.[1];
          if (ack && asked.has(ack)) {
            bench.acks_ms.push(performance.now() - asked.get(ack));
            asked.delete(ack);
          }
          // A game with a direct link sends no datagrams through the server, so this is an answer.
          if (event.data.startsWith('451-["datagram"')) {
            swallow = true;
            event.stopImmediatePropagation();
          }
        } else if (swallow) {
          swallow = false;
          event.stopImmediatePropagation();
          hear(new Uint8Array(event.data));
        }
      });
    }
    send(data) {
      const asks = typeof data === "string" && /^42(\d+)\[/.exec(data)?.[1];
      if (asks) asked.set(asks, performance.now());
      super.send(data);
    }
  };
  const pass = (peer, text) => {
    socket.send('451-["datagram",{"_placeholder":true,"num":0}]');
    socket.send(Uint8Array.from([peer, ...new TextEncoder().encode(text)]));
  };
  const hear = (message) => {
    const text = new TextDecoder().decode(message.subarray(1));
    if (text.startsWith("?")) pass(message[0], `!${text.slice(1)}`);
    else waiting.get(text.slice(1))?.(performance.now());
  };

  // One round trip through the server, in milliseconds, or null.
  bench.relayed = async (peer) => {
    const key = `r${++count}`;
    const sent = performance.now();
    pass(peer, `?${key}`);
    const at_ms = await answered(key, 2000);
    return at_ms === null ? null : at_ms - sent;
  };

  // Measures both ways alternately, so that other work of this machine affects both alike.
  bench.both = async (peer, pairs, pause_ms) => {
    const found = { direct: [], relayed: [] };
    for (let pair = 0; pair < pairs; pair++) {
      for (const [way, trip] of [
        ["direct", () => bench.direct()],
        ["relayed", () => bench.relayed(peer)],
      ]) {
        const ms = await trip();
        if (ms !== null) found[way].push(ms);
        await new Promise((resolve) => setTimeout(resolve, pause_ms));
      }
    }
    return found;
  };
})();
