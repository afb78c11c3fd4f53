import { LitElement, css, html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { ApiError } from '../../data/http.ts';
import { login } from '../../data/session.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';

const styles = css`
  form {
    max-width: 26rem;
    margin: 12vh auto 0;
    padding: 2rem;
    display: grid;
    gap: 1rem;
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
  }

  label {
    display: grid;
    gap: 0.35rem;
    font-weight: 600;
  }

  p {
    margin: 0;
  }
`;

/**
 * Asks for the dashboard key.
 *
 * @summary Login.
 * @event logged-in - the session cookie is set
 */
@customElement('nexus-login-form')
export class LoginForm extends LitElement {
  static override styles = [sharedStyles, styles];

  @state() private _busy = false;
  @state() private _problem = '';

  override firstUpdated(): void {
    this._focusField();
  }

  override render(): TemplateResult {
    return html`
      <form @submit=${this._onSubmit}>
        <h1>Log in</h1>
        <label>
          Dashboard key
          <input
            name="key"
            type="password"
            autocomplete="current-password"
            required
            aria-describedby="hint problem"
            aria-invalid=${this._problem === '' ? 'false' : 'true'}
          />
        </label>
        <p id="hint" class="muted">
          It is printed by <code>npm start</code>; elsewhere it is the value of
          <code>DASHBOARD_API_KEY</code>.
        </p>
        <div id="problem" class="problem" role="alert">
          ${this._problem === '' ? nothing : html`<p>${this._problem}</p>`}
        </div>
        <button class="primary" aria-disabled=${this._busy}>${this._busy ? 'Checking…' : 'Log in'}</button>
      </form>
    `;
  }

  private async _onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const key = new FormData(event.target as HTMLFormElement).get('key');
    if (this._busy || typeof key !== 'string' || key === '') return;
    this._busy = true;
    try {
      await login(key.trim());
      this._problem = '';
      this.dispatchEvent(new Event('logged-in', { bubbles: true, composed: true }));
    } catch (error) {
      this._problem = loginProblem(error);
      this._focusField();
    } finally {
      this._busy = false;
    }
  }

  private _focusField(): void {
    const field = this.renderRoot.querySelector('input');
    field?.focus();
    field?.select();
  }
}

function loginProblem(error: unknown): string {
  if (!(error instanceof ApiError)) return 'The dashboard does not answer. Try again in a moment.';
  if (error.status === 401) return 'This is not the dashboard key.';
  if (error.status === 429)
    return `Too many failed attempts. Try again in ${error.retryAfter ?? 60} seconds.`;
  return error.message;
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-login-form': LoginForm;
  }
}
