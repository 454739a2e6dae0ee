/**
 * Uploads that the server does not have yet, kept on this device.
 *
 * A page that is reloaded, or opened again tomorrow, sends what the page before it could not. Where the browser keeps
 * nothing (private windows, storage switched off), everything else still works.
 */
// IndexedDB as promises, in half a kilobyte.
import { createStore, del, entries, set, type UseStore } from 'idb-keyval';

/** One upload that the server has not acknowledged. */
export interface PendingUpload {
  study: string;
  participant_id: string;
  game_id: string;
  /** The token of the page that made the upload; it still allows the upload after a reload. */
  token: string;
  kind: 'batches' | 'report';
  /** The batch's number; 0 for a report. */
  number: number;
  body: ArrayBuffer | string;
  /** Milliseconds since 1970. */
  kept_at: number;
}

/** The participant's own pages have this long to send an upload; after that, any page of the study may. */
export const ABANDONED_AFTER_MS = 60_000;

/** No token is valid for longer: the server would reject the upload. */
const EXPIRES_AFTER_MS = 7 * 24 * 3600_000;

export class UploadStore {
  readonly #study: string;
  readonly #participant_id: string;
  #store: UseStore | null = null;

  constructor(study: string, participant_id: string) {
    this.#study = study;
    this.#participant_id = participant_id;
    try {
      this.#store = createStore('coplay', 'outbox');
    } catch {
      // This browser has no IndexedDB.
    }
  }

  /** Return an upload of this participant, not stored yet. */
  create(parts: Pick<PendingUpload, 'game_id' | 'token' | 'kind' | 'number' | 'body'>): PendingUpload {
    return { study: this.#study, participant_id: this.#participant_id, kept_at: Date.now(), ...parts };
  }

  /** Keep an upload until it is removed. Never rejects. */
  async keep(upload: PendingUpload): Promise<void> {
    await this.#attempt((store) => set(keyOf(upload), upload, store));
  }

  async remove(upload: PendingUpload): Promise<void> {
    await this.#attempt((store) => del(keyOf(upload), store));
  }

  /** Return what earlier pages left: this participant's uploads, and abandoned ones of others in this study. */
  async leftovers(): Promise<{ own: PendingUpload[]; others: PendingUpload[] }> {
    const found = (await this.#attempt((store) => entries<string, PendingUpload>(store))) ?? [];
    const now = Date.now();
    const [own, others]: [PendingUpload[], PendingUpload[]] = [[], []];
    for (const [, upload] of found) {
      if (now - upload.kept_at > EXPIRES_AFTER_MS) void this.remove(upload);
      else if (upload.study !== this.#study) continue;
      else if (upload.participant_id === this.#participant_id) own.push(upload);
      else if (now - upload.kept_at > ABANDONED_AFTER_MS) others.push(upload);
    }
    return { own, others };
  }

  async #attempt<Result>(work: (store: UseStore) => Promise<Result>): Promise<Result | null> {
    if (this.#store === null) return null;
    try {
      return await work(this.#store);
    } catch (cause) {
      console.warn('coplay: this browser does not keep uploads', cause);
      this.#store = null;
      return null;
    }
  }
}

/** Keys sort in the order in which the uploads are to be sent. */
function keyOf({ study, participant_id, game_id, kind, number }: PendingUpload): string {
  return [study, participant_id, game_id, kind, String(number).padStart(10, '0')].join('/');
}
