/**
 * Who this participant is, over HTTP.
 *
 * A link may carry an id (`/?participant=…`), and an id in a link is not an identity: the server binds it to a secret at
 * the first visit, kept here. For an id from a link it is kept in the browser, so that a closed tab can be opened again;
 * otherwise in the tab, so that a reload continues while a new tab is a new participant. Either way it is kept by id:
 * frames of one page share their storage, and must not meet in it.
 */
import type { ArrivalRequest, Failure, Participation } from '../protocol/messages';

/** The server refused, or could not be reached; says what to show to the participant. */
export class StudyError extends Error implements Failure {
  readonly error: string;
  readonly hint: string;
  readonly reference: string;

  constructor(failure: Failure) {
    super(failure.error);
    this.error = failure.error;
    this.hint = failure.hint ?? '';
    this.reference = failure.reference ?? '';
  }
}

interface Remembered {
  participant_id: string;
  secret: string;
}

type KeptValues = Pick<Storage, 'getItem' | 'setItem'>;

/**
 * Enter the study, or come back to it.
 *
 * @param search The page's query, as in `location.search`.
 * @param storage Where secrets are kept: as long as the tab lives, and as long as the browser wants.
 */
export async function joinStudy(
  search: string,
  storage: { tab: () => KeptValues; browser: () => KeptValues },
  request = fetch,
): Promise<Participation> {
  const query = new URLSearchParams(search);
  const asked_id = query.get('participant') ?? '';
  query.delete('participant');
  const key = `coplay:participant:${asked_id}`;
  const keep = asked_id ? storage.browser : storage.tab;
  const known = recall(keep, key);
  const body: ArrivalRequest = { params: Object.fromEntries(query) };
  const participant = known?.participant_id ?? asked_id;
  if (participant) body.participant = participant;
  if (known) body.secret = known.secret;

  const participation = await postParticipant(body, request);
  try {
    const { participant_id, secret } = participation;
    keep().setItem(key, JSON.stringify({ participant_id, secret }));
  } catch {
    // Storage is off in this browser: a reload will begin anew, everything else works.
  }
  return participation;
}

async function postParticipant(body: ArrivalRequest, request: typeof fetch): Promise<Participation> {
  let response: Response;
  try {
    response = await request('/api/participants', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw new StudyError({
      error: 'The study could not be reached.',
      hint: 'Check your connection to the internet, then try again.',
    });
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok || answer === null) {
    const failure = answer as Partial<Failure> | null;
    throw new StudyError({
      error: failure?.error ?? 'The study could not be started.',
      hint: failure?.hint || 'Try again in a minute.',
      reference: failure?.reference ?? `HTTP ${response.status}`,
    });
  }
  return answer as Participation;
}

function recall(keep: () => KeptValues, key: string): Remembered | null {
  try {
    const text = keep().getItem(key);
    return text === null ? null : (JSON.parse(text) as Remembered);
  } catch {
    return null;
  }
}
