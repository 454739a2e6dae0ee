/** Entry of the participant's page. */
import '../styles/base.css';
import '../styles/scenes.css';
import '../styles/play.css';
import { App } from './App';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');
const app = new App(root);

window.coplay = {
  stats: () => app.stats(),
  press: (keys) => app.press(keys),
  conditions: (conditions) => app.conditions(conditions),
};
void app.start();
