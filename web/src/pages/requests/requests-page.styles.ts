import { css } from 'lit';

export const requestsPageStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.1rem;
  }

  :host([hidden]) {
    display: none;
  }

  .title {
    display: flex;
    align-items: baseline;
    gap: 1rem;
  }

  .live::before {
    content: '';
    display: inline-block;
    width: 0.6em;
    height: 0.6em;
    margin-inline-end: 0.4em;
    border-radius: 50%;
    background: var(--good);
  }

  .connecting::before {
    background: var(--warn);
  }

  .problem {
    margin: 0;
  }

  .empty {
    display: grid;
    justify-items: center;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.9rem;
    padding: 2.5rem 1rem;
    text-align: center;
    background: var(--surface-raised);
    border: 1px dashed var(--border);
    border-radius: var(--radius);
  }

  .empty > * {
    margin: 0;
  }

  .empty nexus-connect-hint {
    width: 100%;
    max-width: 36rem;
  }

  .more {
    justify-self: center;
  }
`;
