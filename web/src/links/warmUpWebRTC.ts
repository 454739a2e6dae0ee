/**
 * Does the browser's one-time work for a first connection early: threads, network interfaces, keys.
 *
 * In Chromium it blocks the page for about 30 ms, which would otherwise delay the offer after a match.
 */

/** Without a network, gathering never completes. */
const LONGEST_GATHERING_MS = 2000;

/** Create a connection without a peer, gather its candidates, and close it. Never rejects. */
export async function warmUpWebRTC(): Promise<void> {
  let connection: RTCPeerConnection | null = null;
  try {
    const made = new RTCPeerConnection();
    connection = made;
    made.createDataChannel('');
    const gathered = new Promise<void>((resolve) => {
      made.onicegatheringstatechange = () => made.iceGatheringState === 'complete' && resolve();
    });
    await made.setLocalDescription();
    await Promise.race([gathered, new Promise((resolve) => setTimeout(resolve, LONGEST_GATHERING_MS))]);
  } catch {
    // WebRTC is disabled in this browser; the game will find out by itself.
  } finally {
    connection?.close();
  }
}
