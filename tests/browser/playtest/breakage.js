// Runs in the page under test before its own scripts: keeps references to its connections, so that tests can break them as
// networks, browsers and servers do, and records which link carries the game.
(() => {
  if (window.breakage) return;
  const connections = [];
  const sockets = [];
  const links = [];
  const breakage = {
    // Merged into the configuration of every peer connection that is created from now on.
    configuration: {},
    unreachable: false,
    links,
    // Closes all peer connections, as if the browser had given them up.
    closeConnections: () => {
      for (const connection of connections) connection.close();
    },
    // Makes the server unreachable for sockets, or reachable again.
    cutSocket: (cut) => {
      breakage.unreachable = cut;
      if (cut) for (const socket of sockets) socket.close();
    },
    // Resolves when a socket to the server is open, or after a minute.
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
