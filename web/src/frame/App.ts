/** The participant's page: joins the study and, if something fails, says so. */

import { HeldKeys } from '../input/HeldKeys';
import type { Failure, GameStats } from '../protocol/messages';
import { FailureScene } from '../scenes/FailureScene';
import { announceScene } from '../scenes/SceneView';
import { JoinFailed, joinStudy } from '../server/joinStudy';
import { PageNotices } from './PageNotices';
import { SceneDisplay } from './SceneDisplay';
import { StudyPage } from './StudyPage';

export class App {
  readonly #display: SceneDisplay;
  readonly #notices: PageNotices;
  readonly #held_keys = new HeldKeys((pressed) => this.#page?.worker.post({ kind: 'keys', pressed }));
  #page: StudyPage | null = null;
  #participant_id = '';
  #conditions = { latency_ms: 0, loss: 0 };

  constructor(root: HTMLElement) {
    this.#display = new SceneDisplay(root);
    this.#notices = new PageNotices(this.#display);
  }

  async start(): Promise<void> {
    announceScene('loading', 'loading');
    try {
      const participation = await joinStudy(location.search, {
        // Where storage is switched off, naming it already throws.
        tab: () => sessionStorage,
        browser: () => localStorage,
      });
      document.title = participation.study.name;
      this.#participant_id = participation.participant_id;
      this.#page = new StudyPage(participation, {
        display: this.#display,
        notices: this.#notices,
        held_keys: this.#held_keys,
        fail: (failure) => this.#fail(failure),
      });
      this.#page.worker.post({ kind: 'conditions', ...this.#conditions });
    } catch (cause) {
      this.#fail(
        cause instanceof JoinFailed ? cause : { error: 'This page could not start.', hint: String(cause) },
      );
    }
  }

  // For scripts: window.coplay

  stats(): GameStats | Record<string, never> {
    return this.#page?.games.current?.stats ?? {};
  }

  press(keys: readonly string[]): void {
    this.#held_keys.hold('script', keys);
  }

  conditions(conditions: { latency_ms: number; loss: number }): void {
    this.#conditions = conditions;
    this.#page?.worker.post({ kind: 'conditions', ...conditions });
  }

  #fail(failure: Failure): void {
    this.#notices.hideOffline();
    // A fault in this browser is in no log of the server. The participant's id lets the researcher find the session.
    const reference = failure.reference || this.#participant_id;
    const scene = new FailureScene({ ...failure, reference }, () => location.reload());
    this.#display.show('error', 'ended', scene);
  }
}
