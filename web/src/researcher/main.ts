/** Entry of the spectators' page: lists the running games, and shows one of them. */
import '../styles/base.css';
import '../styles/play.css';
import '../styles/watch.css';
import { element, minutes } from '../dom';
import type { ListedGame, WatchOverview } from '../protocol/messages';
import { SpectatorApi } from './SpectatorApi';
import { WatchedGame } from './WatchedGame';

const REFRESH_EVERY_MS = 2000;

const api = new SpectatorApi(location.hash.slice(1));
const list = element('div', { class: 'running', role: 'list', 'aria-label': 'Games' });
const note = element('p', { class: 'said', role: 'status' });
const place = element('div', { class: 'table' });
const title = element('h1', { text: 'Watching' });
let watched_game: WatchedGame | null = null;
let watched_id = '';

document.getElementById('watch')?.append(
  element('header', {}, [
    title,
    element('p', {
      text: 'What the players have agreed on, a moment behind them. They do not see you.',
    }),
  ]),
  list,
  note,
  place,
);

async function refresh(): Promise<void> {
  try {
    show(await api.overview());
    note.textContent =
      list.childElementCount > 0 ? '' : 'Nobody plays at the moment. This list looks again by itself.';
  } catch (cause) {
    note.textContent = cause instanceof Error ? cause.message : String(cause);
  }
  setTimeout(() => void refresh(), REFRESH_EVERY_MS);
}

function show(overview: WatchOverview): void {
  title.textContent = `Watching ${overview.study.name}`;
  document.title = title.textContent;
  const focused =
    document.activeElement instanceof HTMLElement ? document.activeElement.dataset.game : undefined;
  list.replaceChildren(...overview.games.map((game) => entry(overview, game)));
  if (focused !== undefined) list.querySelector<HTMLElement>(`[data-game="${focused}"]`)?.focus();
}

function entry(overview: WatchOverview, game: ListedGame): HTMLElement {
  const people = game.players === 1 ? '1 person' : `${game.players} people`;
  const button = element(
    'button',
    {
      type: 'button',
      'data-testid': 'watch',
      'data-game': game.game_id,
      class: game.game_id === watched_id ? 'chosen' : '',
    },
    [
      element('b', { text: game.label }),
      element('span', { text: `${people}, for ${minutes(game.seconds)}` }),
    ],
  );
  button.addEventListener('click', () => {
    watched_game?.close();
    watched_id = game.game_id;
    watched_game = new WatchedGame(api, overview, game.game_id);
    place.replaceChildren(watched_game.root);
    show(overview);
  });
  return element('div', { role: 'listitem' }, [button]);
}

void refresh();
