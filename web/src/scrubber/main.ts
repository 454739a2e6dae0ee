/** Entry of the scrubber's page, which shows a recorded game frame by frame. */
import '../styles/base.css';
import '../styles/scrubber.css';
import { element } from '../dom';
import type { RecordedGame } from './recordedGame';
import { Scrubber } from './Scrubber';

async function start(root: HTMLElement): Promise<void> {
  const answer = await fetch('/game/game.json');
  if (!answer.ok) throw new Error('There is no game here.');
  new Scrubber(root, (await answer.json()) as RecordedGame);
}

const root = document.getElementById('scrub');
if (root !== null) start(root).catch((error: Error) => root.append(element('p', { text: error.message })));
