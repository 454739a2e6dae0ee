/** The server's API for spectators: the running games, how one is set up, and its confirmed frames. */
import type { WatchConfig, WatchOverview } from '../protocol/messages';

export class SpectatorApi {
  readonly #key: string;

  /** @param key The key in the link that the server prints when it starts. */
  constructor(key: string) {
    this.#key = key;
  }

  /** Return the running games. @throws Error with the server's own message. */
  async overview(): Promise<WatchOverview> {
    return (await this.#fetch('/api/watch')).json() as Promise<WatchOverview>;
  }

  async config(game_id: string): Promise<WatchConfig> {
    return (await this.#fetch(`/api/watch/${game_id}`)).json() as Promise<WatchConfig>;
  }

  /** Return all players' confirmed inputs from frame `first` on, and whether these are the last. */
  async frames(game_id: string, first: number): Promise<{ data: ArrayBuffer; over: boolean }> {
    const response = await this.#fetch(`/api/watch/${game_id}/frames?from=${first}`);
    return { data: await response.arrayBuffer(), over: response.headers.get('X-Game-Over') === '1' };
  }

  async #fetch(path: string): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(path, { headers: { Authorization: `Bearer ${this.#key}` } });
    } catch {
      throw new Error('The study cannot be reached. Trying again …');
    }
    if (!response.ok) {
      const failure = (await response.json().catch(() => null)) as { error?: string } | null;
      throw new Error(failure?.error ?? `The study answered with ${response.status}.`);
    }
    return response;
  }
}
