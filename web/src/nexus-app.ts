import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import './components/login-form/login-form.ts';
import './components/theme-toggle/theme-toggle.ts';
import './pages/request/request-page.ts';
import './pages/requests/requests-page.ts';
import { logout, readSession } from './data/session.ts';
import { appStyles } from './nexus-app.styles.ts';
import { requestsHref, routeOf } from './routes.ts';
import type { Route } from './routes.ts';
import { sharedStyles } from './styles/shared.styles.ts';

/**
 * The application: session, header, and the page of the current address.
 *
 * @summary Shell of the dashboard.
 */
@customElement('nexus-app')
export class NexusApp extends LitElement {
  static override styles = [sharedStyles, appStyles];

  /** undefined until the server has told. */
  @state() private _authenticated: boolean | undefined;
  @state() private _unreachable = false;
  @state() private _route: Route = currentRoute();

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('popstate', this._onNavigated);
    void this._checkSession();
  }

  override disconnectedCallback(): void {
    window.removeEventListener('popstate', this._onNavigated);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`
      <a class="skip" href="#main" @click=${this._skip}>Skip to content</a>
      <header @click=${this._onClick}>
        <a class="brand" href=${requestsHref()}>ClaudeNexus</a>
        <nav aria-label="Main">
          ${this._authenticated ? html`<a href=${requestsHref()} aria-current=${this._current()}>Requests</a>` : ''}
        </nav>
        <nexus-theme-toggle></nexus-theme-toggle>
        ${this._authenticated ? html`<button @click=${this._logout}>Log out</button>` : ''}
      </header>
      <main id="main" tabindex="-1" @click=${this._onClick} @unauthenticated=${this._checkSession}>
        ${this._content()}
      </main>
    `;
  }

  private _content(): TemplateResult {
    if (this._unreachable) {
      return html`<p class="problem" role="alert">
        The dashboard does not answer. <button @click=${this._checkSession}>Try again</button>
      </p>`;
    }
    if (this._authenticated === undefined) return html`<p class="muted">Loading…</p>`;
    if (!this._authenticated)
      return html`<nexus-login-form @logged-in=${this._checkSession}></nexus-login-form>`;
    const route = this._route;
    if (route.page === 'requests')
      return html`<nexus-requests-page .search=${route.search}></nexus-requests-page>`;
    if (route.page === 'request')
      return html`<nexus-request-page .requestId=${route.id}></nexus-request-page>`;
    return html`<h1>Nothing here</h1>
      <p>This address leads nowhere. <a href=${requestsHref()}>See the requests</a>.</p>`;
  }

  private _current(): 'page' | 'true' {
    return this._route.page === 'requests' ? 'page' : 'true';
  }

  private async _checkSession(): Promise<void> {
    try {
      this._authenticated = (await readSession()).authenticated;
      this._unreachable = false;
    } catch {
      this._unreachable = true;
    }
  }

  private async _logout(): Promise<void> {
    await logout().catch(() => undefined);
    await this._checkSession();
  }

  /** Links inside the application change the page without loading the document again. */
  private _onClick(event: MouseEvent): void {
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link === undefined || !plain || link.target !== '' || link.hasAttribute('download')) return;
    if (!link.href.startsWith(new URL('requests', document.baseURI).href)) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    this._onNavigated();
    window.scrollTo(0, 0);
    this.renderRoot.querySelector('main')?.focus({ preventScroll: true });
  }

  private _skip(event: Event): void {
    // With a <base>, a bare fragment would lead to the base address.
    event.preventDefault();
    this.renderRoot.querySelector('main')?.focus();
  }

  private readonly _onNavigated = (): void => {
    this._route = currentRoute();
  };
}

function currentRoute(): Route {
  return routeOf(location.href, document.baseURI);
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-app': NexusApp;
  }
}
