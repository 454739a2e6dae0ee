/** Building the page from code: text goes in as text, so nothing that anyone wrote becomes markup by accident. */

type Attributes = Record<string, string> & { text?: string };

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

/** Texts of the study, which the server rendered from Markdown with HTML off. */
export function prose(html: string): HTMLElement {
  const made = element('div', { class: 'prose' });
  made.innerHTML = html;
  return made;
}

/** A button that advances the participant. */
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

export function plainButton(label: string, testid: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'quiet', 'data-testid': testid, text: label });
  made.addEventListener('click', pressed);
  return made;
}

/** Seconds as people write them: 1:05. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
