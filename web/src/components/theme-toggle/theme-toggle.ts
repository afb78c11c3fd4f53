import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { applyTheme, storedTheme, themes } from '../../common/theme.ts';
import type { Theme } from '../../common/theme.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';

const LABELS: Readonly<Record<Theme, string>> = {
  system: '◐ Auto',
  light: '☀ Light',
  dark: '☾ Dark',
};

/**
 * Chooses between the system's colours, light and dark.
 *
 * @summary Theme choice.
 */
@customElement('nexus-theme-toggle')
export class ThemeToggle extends LitElement {
  static override styles = [sharedStyles];

  @state() private _theme: Theme = storedTheme();

  override render(): TemplateResult {
    return html`
      <label>
        <span class="visually-hidden">Theme</span>
        <select title="Theme" @change=${this._onChange}>
          ${themes.map(
            (theme) =>
              html`<option value=${theme} ?selected=${theme === this._theme}>${LABELS[theme]}</option>`,
          )}
        </select>
      </label>
    `;
  }

  private _onChange(event: Event): void {
    this._theme = (event.target as HTMLSelectElement).value as Theme;
    applyTheme(this._theme);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-theme-toggle': ThemeToggle;
  }
}
