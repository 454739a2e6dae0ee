/**
 * What this browser still has to bring to the study's server, kept on the device until the server has it: a page that is
 * loaded anew, or opened again tomorrow, brings what the page before it could not.
 *
 * Where the browser keeps nothing (private windows, storage switched off), everything works but that.
 */
// IndexedDB as promises, in half a kilobyte.
import { createStore, del, entries, set, type UseStore } from 'idb-keyval';

/** Some bytes on their way to the server. */
export interface PendingUpload {
  study: string;
  participant_id: string;
  game_id: string;
  /** Of the page that made it, for its game: it is still the right one after a reload. */
  token: string;
  kind: 'batches' | 'report';
  /** The batch's; 0 for a report. */
  number: number;
  body: ArrayBuffer | string;
  /** Milliseconds since 1970. */
  kept_at: number;
}

/** Whoever kept it has had this long to bring it; then any page of the study may. */
export const ABANDONED_AFTER_MS = 60_000;

/** No token is valid for longer, so that the server would not take it any more. */
const USELESS_AFTER_MS = 7 * 24 * 3600_000;

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
      // There is no such thing here.
    }
  }

  /** A parcel of this participant, with its place in the outbox. */
  parcel(parts: Pick<PendingUpload, 'game_id' | 'token' | 'kind' | 'number' | 'body'>): PendingUpload {
    return { study: this.#study, participant_id: this.#participant_id, kept_at: Date.now(), ...parts };
  }

  /** Keep it until it is removed; never fails, and nobody need wait. */
  async keep(parcel: PendingUpload): Promise<void> {
    await this.#quietly((store) => set(keyOf(parcel), parcel, store));
  }

  async remove(parcel: PendingUpload): Promise<void> {
    await this.#quietly((store) => del(keyOf(parcel), store));
  }

  /** What earlier pages left: of this participant, and of others of this study who have left this browser. */
  async leftOver(): Promise<{ own: PendingUpload[]; others: PendingUpload[] }> {
    const found = (await this.#quietly((store) => entries<string, PendingUpload>(store))) ?? [];
    const now = Date.now();
    const [own, others]: [PendingUpload[], PendingUpload[]] = [[], []];
    for (const [, parcel] of found) {
      if (now - parcel.kept_at > USELESS_AFTER_MS) void this.remove(parcel);
      else if (parcel.study !== this.#study) continue;
      else if (parcel.participant_id === this.#participant_id) own.push(parcel);
      else if (now - parcel.kept_at > ABANDONED_AFTER_MS) others.push(parcel);
    }
    return { own, others };
  }

  async #quietly<Result>(work: (store: UseStore) => Promise<Result>): Promise<Result | null> {
    if (this.#store === null) return null;
    try {
      return await work(this.#store);
    } catch (cause) {
      console.warn('coplay: this browser keeps nothing', cause);
      this.#store = null;
      return null;
    }
  }
}

/** In the order in which they are to be brought. */
function keyOf({ study, participant_id, game_id, kind, number }: PendingUpload): string {
  return [study, participant_id, game_id, kind, String(number).padStart(10, '0')].join('/');
}
