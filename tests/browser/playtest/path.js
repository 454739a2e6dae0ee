// Runs in the page under test before its own scripts: routes all datagrams to other browsers through a path that the test
// controls. `throughPath(address, port)` returns the port, at the same address, that replaces another browser's.
(() => {
  if (window.onLossyPath) return;
  window.onLossyPath = true;
  const { addIceCandidate, setRemoteDescription } = RTCPeerConnection.prototype;

  // "candidate:<foundation> <component> <transport> <priority> <address> <port> typ …"; null if there is no such path.
  const rewritten = async (candidate) => {
    const words = candidate.split(" ");
    const port = words[2].toLowerCase() === "udp" ? await window.throughPath(words[4], Number(words[5])) : null;
    if (port === null) return null;
    words[5] = String(port);
    return words.join(" ");
  };

  RTCPeerConnection.prototype.addIceCandidate = async function (given) {
    if (!given?.candidate) return addIceCandidate.call(this, given);
    const candidate = await rewritten(given.candidate);
    if (candidate === null) return undefined;
    return addIceCandidate.call(this, { ...(given.toJSON?.() ?? given), candidate });
  };

  RTCPeerConnection.prototype.setRemoteDescription = async function (given) {
    const lines = [];
    for (const line of given.sdp.split("\r\n")) {
      const candidate = line.startsWith("a=candidate:") ? await rewritten(line.slice(2)) : line;
      if (candidate !== null) lines.push(candidate === line ? line : `a=${candidate}`);
    }
    return setRemoteDescription.call(this, { type: given.type, sdp: lines.join("\r\n") });
  };
})();
