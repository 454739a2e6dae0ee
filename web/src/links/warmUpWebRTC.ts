/**
 * The browser's part of a first connection, done before anybody waits for it: threads, a list of the networks, keys. In
 * Chromium this takes some 30 ms of the page's thread, which would stand between a match and the offer.
 */

/** A network without addresses never ends its search. */
const ENOUGH_MS = 2000;

/** Make a connection to nobody, and close it. Where none can be made, the game will find out. */
export async function warmUpWebRTC(): Promise<void> {
  let connection: RTCPeerConnection | null = null;
  try {
    const made = new RTCPeerConnection();
    connection = made;
    made.createDataChannel('');
    const searched = new Promise<void>((resolve) => {
      made.onicegatheringstatechange = () => made.iceGatheringState === 'complete' && resolve();
    });
    await made.setLocalDescription();
    await Promise.race([searched, new Promise((resolve) => setTimeout(resolve, ENOUGH_MS))]);
  } catch {
    // Some browsers are kept from connecting to others at all.
  } finally {
    connection?.close();
  }
}
