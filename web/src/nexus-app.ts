import { LitElement, html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { queryOf } from './common/filters.ts';
import './components/login-form/login-form.ts';
import './components/theme-toggle/theme-toggle.ts';
import './pages/connect/connect-page.ts';
import './pages/request/request-page.ts';
import './pages/requests/requests-page.ts';
import { logout, readSession } from './data/session.ts';
import type { FiltersChanged } from './events/filters-changed.ts';
import { appStyles } from './nexus-app.styles.ts';
import { connectHref, requestsHref, routeOf } from './routes.ts';
import type { Route } from './routes.ts';
import { sharedStyles } from './styles/shared.styles.ts';

const RETRY_MS = 5000;

const TITLES: Readonly<Record<Exclude<Route['page'], 'request'>, string>> = {
  requests: 'Requests',
  connect: 'Connect a client',
  'not-found': 'Nothing here',
};

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
  /** Query of the list; undefined until it was first shown. From then on it is kept behind the other pages. */
  @state() private _listSearch: string | undefined;

  private _retry: ReturnType<typeof setTimeout> | undefined;
  private _listScroll = 0;
  /** The link that led away from the list: focus goes back to it. */
  private _leftBy: HTMLElement | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // The browser would restore the scroll position before there is anything to scroll.
    history.scrollRestoration = 'manual';
    window.addEventListener('popstate', this._onPopState);
    void this._checkSession();
  }

  override disconnectedCallback(): void {
    window.removeEventListener('popstate', this._onPopState);
    clearTimeout(this._retry);
    super.disconnectedCallback();
  }

  override willUpdate(): void {
    if (this._route.page === 'requests') this._listSearch = this._route.search;
    if (this._authenticated === false) this._listSearch = undefined;
  }

  override updated(): void {
    const { page } = this._route;
    if (this._authenticated === false) document.title = 'Log in · ClaudeNexus';
    else if (page !== 'request') document.title = `${TITLES[page]} · ClaudeNexus`;
  }

  override render(): TemplateResult {
    const { page } = this._route;
    return html`
      <a class="skip" href="#main" @click=${this._skip}>Skip to content</a>
      <header @click=${this._onClick}>
        <a class="brand" href=${requestsHref()}>ClaudeNexus</a>
        ${
          this._authenticated
            ? html`<nav aria-label="Main">
                <a href=${requestsHref()} aria-current=${current(page === 'requests', page === 'request')}
                  >Requests</a
                >
                <a href=${connectHref()} aria-current=${current(page === 'connect')}>Connect</a>
              </nav>`
            : nothing
        }
        <div class="tools">
          <nexus-theme-toggle></nexus-theme-toggle>
          ${this._authenticated ? html`<button @click=${this._logout}>Log out</button>` : nothing}
        </div>
      </header>
      <main
        id="main"
        tabindex="-1"
        @click=${this._onClick}
        @filters-changed=${this._onFilters}
        @unauthenticated=${this._checkSession}
      >
        ${
          this._unreachable
            ? html`<p class="problem" role="alert">
                The dashboard does not answer. Trying again every few seconds.
              </p>`
            : nothing
        }
        ${this._content()}
      </main>
    `;
  }

  private _content(): TemplateResult | typeof nothing {
    if (this._authenticated === undefined) {
      return this._unreachable ? nothing : html`<p class="muted">Loading…</p>`;
    }
    if (!this._authenticated)
      return html`<nexus-login-form @logged-in=${this._onLoggedIn}></nexus-login-form>`;
    return html`${this._list()} ${this._page()}`;
  }

  private _list(): TemplateResult | typeof nothing {
    if (this._listSearch === undefined) return nothing;
    return html`<nexus-requests-page
      .search=${this._listSearch}
      ?hidden=${this._route.page !== 'requests'}
    ></nexus-requests-page>`;
  }

  private _page(): TemplateResult | typeof nothing {
    const route = this._route;
    if (route.page === 'requests') return nothing;
    if (route.page === 'connect') return html`<nexus-connect-page></nexus-connect-page>`;
    if (route.page === 'request') {
      return html`<nexus-request-page
        .requestId=${route.id}
        .listSearch=${this._listSearch ?? ''}
      ></nexus-request-page>`;
    }
    return html`<h1>Nothing here</h1>
      <p>This address leads nowhere. <a href=${requestsHref()}>See the requests</a>.</p>`;
  }

  private readonly _checkSession = async (): Promise<void> => {
    clearTimeout(this._retry);
    try {
      this._authenticated = (await readSession()).authenticated;
      this._unreachable = false;
    } catch {
      this._unreachable = true;
      this._retry = setTimeout(() => void this._checkSession(), RETRY_MS);
    }
  };

  private async _onLoggedIn(): Promise<void> {
    await this._checkSession();
    await this.updateComplete;
    this._focusMain();
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
    if (routeOf(link.href, document.baseURI).page === 'not-found') return;
    event.preventDefault();
    if (this._route.page === 'requests') this._leftBy = link;
    this._navigate(link.href);
  }

  private _onFilters(event: FiltersChanged): void {
    const query = queryOf(event.filters);
    if (query !== this._listSearch) this._navigate(requestsHref(query));
  }

  private _navigate(href: string): void {
    history.pushState(null, '', new URL(href, document.baseURI));
    void this._show();
  }

  private readonly _onPopState = (): void => void this._show();

  /** Shows the page of the address, at its top; the list where it was left. */
  private async _show(): Promise<void> {
    const before = this._route.page;
    const scroll = window.scrollY;
    this._route = currentRoute();
    const after = this._route.page;
    if (before === 'requests' && after === 'requests') return;
    if (before === 'requests') this._listScroll = scroll;
    await this.updateComplete;
    window.scrollTo(0, after === 'requests' ? this._listScroll : 0);
    if (after === 'requests' && this._leftBy?.isConnected) this._leftBy.focus({ preventScroll: true });
    else this._focusMain();
  }

  private _skip(event: Event): void {
    // With a <base>, a bare fragment would lead to the base address.
    event.preventDefault();
    this._focusMain();
  }

  private _focusMain(): void {
    this.renderRoot.querySelector('main')?.focus({ preventScroll: true });
  }
}

function currentRoute(): Route {
  return routeOf(location.href, document.baseURI);
}

/** The value of aria-current: this very page, or the section it belongs to. */
function current(here: boolean, section = false): 'page' | 'true' | typeof nothing {
  if (here) return 'page';
  return section ? 'true' : nothing;
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-app': NexusApp;
  }
}
