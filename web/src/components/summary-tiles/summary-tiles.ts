import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

const styles = css`
  :host {
    display: block;
    min-width: 0;
  }

  dl {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
    gap: 0.6rem;
    margin: 0;
  }

  div {
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    padding: 0.6rem 0.9rem;
  }

  dt {
    color: var(--text-muted);
    font-size: 0.85rem;
  }

  dd {
    margin: 0;
    font-size: 1.2rem;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }

  small {
    display: block;
    color: var(--text-muted);
    font-size: 0.8rem;
    font-weight: 400;
  }

  @media (max-width: 30rem) {
    dl {
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }

    div {
      padding: 0.45rem 0.6rem;
    }

    dt,
    small {
      font-size: 0.75rem;
    }

    dd {
      font-size: 1.05rem;
    }
  }
`;

/** One figure with its name. */
export interface Tile {
  label: string;
  value: string;
  hint?: string;
}

/**
 * A row of figures.
 *
 * @summary Figures with their names.
 */
@customElement('nexus-summary-tiles')
export class SummaryTiles extends LitElement {
  static override styles = [styles];

  @property({ attribute: false }) tiles: readonly Tile[] = [];

  override render(): TemplateResult {
    return html`<dl>
      ${this.tiles.map(
        (tile) =>
          html`<div>
            <dt>${tile.label}</dt>
            <dd>${tile.value}${tile.hint === undefined ? '' : html`<small>${tile.hint}</small>`}</dd>
          </div>`,
      )}
    </dl>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-summary-tiles': SummaryTiles;
  }
}
