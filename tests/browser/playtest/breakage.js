// Runs in the page under test before its own scripts: keeps hold of its connections, so that they can be broken as networks,
// browsers and servers break them, and watches by which way the game travels.
(() => {
  if (window.breakage) return;
  const connections = [];
  const sockets = [];
  const links = [];
  const breakage = {
    // Merged into the configuration of every peer connection made from now on.
    configuration: {},
    unreachable: false,
    links,
    // The browser gives its peer connections up.
    closeConnections: () => {
      for (const connection of connections) connection.close();
    },
    // The server cannot be reached over a socket, from now on or not any more.
    cutSocket: (cut) => {
      breakage.unreachable = cut;
      if (cut) for (const socket of sockets) socket.close();
    },
    // Resolves when the server is reached over a socket, or after a minute.
    reached: async () => {
      for (let tries = 0; tries < 1200 && sockets.at(-1)?.readyState !== WebSocket.OPEN; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
  window.breakage = breakage;

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super({ ...configuration, ...breakage.configuration });
      connections.push(this);
    }
    setConfiguration(configuration) {
      super.setConfiguration({ ...configuration, ...breakage.configuration });
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
      if (breakage.unreachable) this.close();
    }
  };
  setInterval(() => {
    const link = Object.values(window.coplay?.stats?.().link ?? {}).join();
    if (link && link !== links.at(-1)) links.push(link);
  }, 20);
})();
