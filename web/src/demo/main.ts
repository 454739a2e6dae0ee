/** Entry of the demo page: two participants side by side, with controls for the network between them. */
import '../styles/base.css';
import '../styles/demo.css';
import { element } from '../dom';
import { ParticipantPane } from './ParticipantPane';
import { SharedKeyboard } from './SharedKeyboard';

const left = new ParticipantPane({ name: 'Left player', side: 'left', keys: ['W', 'A', 'S', 'D'] });
const right = new ParticipantPane({ name: 'Right player', side: 'right', keys: ['↑', '←', '↓', '→'] });

const start = element('button', { type: 'button', class: 'primary', text: 'Start both', disabled: '' });
start.addEventListener('click', () => {
  for (const pane of [left, right]) {
    if (over()) pane.restart();
    else pane.advance();
  }
  start.blur();
});

document.getElementById('demo')?.append(
  element('header', { class: 'demo-head' }, [
    element('div', {}, [
      element('h1', { text: 'One game, two browsers' }),
      element('p', {
        text:
          'Each side is a whole participant: it runs the game itself and sends nothing but its own keys to the other ' +
          'side, directly. Play both at once, one with each hand, and make the network between them as bad as you like. ' +
          'Your own moves never wait for it: where a guess about the other side proves wrong, the game goes back a few ' +
          'frames and plays them again.',
      }),
    ]),
    start,
  ]),
  element('div', { class: 'panes' }, [left.root, right.root]),
);

const keyboard = new SharedKeyboard(left, right);
keyboard.listen(window);
for (const pane of [left, right])
  pane.frame.addEventListener('load', () => keyboard.listen(pane.frame.contentWindow));

setInterval(() => {
  left.refresh();
  right.refresh();
  start.textContent = over() ? 'Play again' : 'Start both';
  start.disabled = !over() && !left.canAdvance && !right.canAdvance;
  start.hidden = left.started && right.started && !over();
}, 200);

function over(): boolean {
  return left.finished && right.finished;
}
