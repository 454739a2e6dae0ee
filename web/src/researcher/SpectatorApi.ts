/** What the server tells those who look on: the games that run, how one is set up, and its confirmed frames. */
import type { WatchConfig, WatchOverview } from '../protocol/messages';

export class SpectatorApi {
  readonly #key: string;

  /** @param key From the link that the server printed at its start. */
  constructor(key: string) {
    this.#key = key;
  }

  /** @throws Error with the server's own sentence. */
  async overview(): Promise<WatchOverview> {
    return (await this.#ask('/api/watch')).json() as Promise<WatchOverview>;
  }

  async config(game_id: string): Promise<WatchConfig> {
    return (await this.#ask(`/api/watch/${game_id}`)).json() as Promise<WatchConfig>;
  }

  /** All players' inputs from frame `first` on, as far as they are known, and whether no more will come. */
  async frames(game_id: string, first: number): Promise<{ data: ArrayBuffer; over: boolean }> {
    const answer = await this.#ask(`/api/watch/${game_id}/frames?from=${first}`);
    return { data: await answer.arrayBuffer(), over: answer.headers.get('X-Game-Over') === '1' };
  }

  async #ask(path: string): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(path, { headers: { Authorization: `Bearer ${this.#key}` } });
    } catch {
      throw new Error('The study cannot be reached. Trying again …');
    }
    if (!answer.ok) {
      const said = (await answer.json().catch(() => null)) as { error?: string } | null;
      throw new Error(said?.error ?? `The study answered with ${answer.status}.`);
    }
    return answer;
  }
}
