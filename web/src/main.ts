/** Entry of the participant's page. */
import './styles/base.css';
import './styles/scenes.css';
import './styles/play.css';
import { App } from './App';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no #app');
const app = new App(root);

declare global {
  interface Window {
    /** Lets a script watch and play; the names and meanings are stable. */
    coplay?: {
      stats(): object;
      press(keys: readonly string[]): void;
      conditions(conditions: { latency_ms: number; loss: number }): void;
    };
  }
}

window.coplay = {
  stats: () => app.stats(),
  press: (keys) => app.press(keys),
  conditions: (conditions) => app.conditions(conditions),
};
void app.start();
