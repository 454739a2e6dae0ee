/** Creates elements from code. Text is set as text, so that nothing anyone wrote becomes markup by accident. */

type Attributes = Record<string, string> & { text?: string };

/** Create an element. The attribute `text` sets its text content. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute === 'text') made.textContent = value;
    else made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

/**
 * Return a text of the study. It is HTML that the server rendered from Markdown, with the author's own HTML escaped.
 */
export function prose(html: string): HTMLElement {
  const made = element('div', { class: 'prose' });
  made.innerHTML = html;
  return made;
}

/** Return the button that takes the participant to the next scene. */
export function continueButton(label: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', {
    type: 'button',
    class: 'primary',
    'data-testid': 'continue',
    text: label,
  });
  made.addEventListener('click', pressed);
  return made;
}

/** Return a button for anything else; `testid` becomes its `data-testid`. */
export function plainButton(label: string, testid: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'quiet', 'data-testid': testid, text: label });
  made.addEventListener('click', pressed);
  return made;
}

/** Format seconds as minutes and seconds: 1:05. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
