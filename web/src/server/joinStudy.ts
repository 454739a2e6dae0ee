/**
 * Joins the study over HTTP, as a new participant or as one who was here before.
 *
 * A link may carry an id (`/?participant=…`), but an id in a link proves nothing: at the first visit the server binds it
 * to a secret, which is stored here. With an id from a link the secret is stored in the browser, so that a closed tab can
 * be opened again; otherwise it is stored in the tab, so that a reload continues while a new tab is a new participant.
 * The storage key contains the id, because frames of one page share their storage.
 */
import type { ArrivalRequest, Failure, Participation } from '../protocol/messages';

/** The server rejected the participant or could not be reached; carries what to show to the participant. */
export class JoinFailed extends Error implements Failure {
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

/** What the browser stores about a participant. */
interface StoredIdentity {
  participant_id: string;
  secret: string;
}

type ValueStorage = Pick<Storage, 'getItem' | 'setItem'>;

/**
 * Join the study, or return to it.
 *
 * @param search The page's query, as in `location.search`.
 * @param storage Where secrets are stored: for as long as the tab is open, and for as long as the browser keeps them.
 */
export async function joinStudy(
  search: string,
  storage: { tab: () => ValueStorage; browser: () => ValueStorage },
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
    // Storage is off in this browser: a reload makes a new participant, everything else works.
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
    throw new JoinFailed({
      error: 'The study could not be reached.',
      hint: 'Check your connection to the internet, then try again.',
    });
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok || answer === null) {
    const failure = answer as Partial<Failure> | null;
    throw new JoinFailed({
      error: failure?.error ?? 'The study could not be started.',
      hint: failure?.hint || 'Try again in a minute.',
      reference: failure?.reference ?? `HTTP ${response.status}`,
    });
  }
  return answer as Participation;
}

function recall(keep: () => ValueStorage, key: string): StoredIdentity | null {
  try {
    const text = keep().getItem(key);
    return text === null ? null : (JSON.parse(text) as StoredIdentity);
  } catch {
    return null;
  }
}
