// A bare data channel that echoes, with which the emulated conditions are measured independently of coplay.
let connection;
let channel;
let opened;
let answers = [];

const gathered = () =>
  new Promise((resolve) => {
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", look);
    look();
  });

const described = async (description) => {
  await connection.setLocalDescription(description);
  await gathered();
  return connection.localDescription.toJSON();
};

window.ping = {
  connect() {
    connection = new RTCPeerConnection({ iceServers: [] });
    channel = connection.createDataChannel("game", { ordered: false, maxRetransmits: 0, negotiated: true, id: 0 });
    channel.binaryType = "arraybuffer";
    opened = new Promise((resolve) => channel.addEventListener("open", resolve));
    channel.addEventListener("message", ({ data }) => {
      const [isAnswer, sent] = new Float64Array(data);
      if (isAnswer) answers.push(performance.now() - sent);
      else channel.send(new Float64Array([1, sent]));
    });
  },
  offer: async () => described(await connection.createOffer()),
  answer: async (offer) => {
    await connection.setRemoteDescription(offer);
    return described(await connection.createAnswer());
  },
  accept: (answer) => connection.setRemoteDescription(answer),
  opened: () => opened,
  // Sends `count` pings and returns the round trips, in milliseconds, of those that were answered.
  async measure(count, everyMs, patienceMs) {
    answers = [];
    for (let sent = 0; sent < count; sent += 1) {
      channel.send(new Float64Array([0, performance.now()]));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    const started = performance.now();
    while (answers.length < count && performance.now() - started < patienceMs)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return answers;
  },
};
document.body.dataset.phase = "playing";
