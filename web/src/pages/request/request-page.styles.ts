import { css } from 'lit';

export const requestPageStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.1rem;
  }

  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1rem;
  }

  h1 {
    overflow-wrap: anywhere;
  }

  .jump {
    margin-inline-start: auto;
  }

  p {
    margin: 0;
  }

  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.5rem;
    align-items: start;
  }

  .content,
  section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.6rem;
    min-width: 0;
  }

  .content {
    gap: 1.75rem;
  }

  section:focus {
    outline: none;
  }

  .heading {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 0.25rem 1rem;
  }

  details {
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    padding: 0.55rem 1rem;
    min-width: 0;
  }

  details > :not(summary) {
    margin-top: 0.75rem;
  }

  .blocks {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.9rem;
  }

  summary {
    cursor: pointer;
    font-weight: 600;
  }

  pre {
    margin: 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  dl {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr));
    gap: 0.6rem 1.25rem;
    margin: 0;
  }

  dl.pairs {
    grid-template-columns: minmax(0, 1fr);
    gap: 0.45rem;
  }

  dt {
    color: var(--text-muted);
    font-size: 0.82rem;
    overflow-wrap: anywhere;
  }

  .pairs dt {
    font-size: inherit;
  }

  dd {
    margin: 0;
    font-size: 0.92rem;
    overflow-wrap: anywhere;
  }

  .pairs dd {
    font-size: inherit;
    white-space: pre-wrap;
  }

  @media (min-width: 75rem) {
    .columns {
      grid-template-columns: minmax(0, 1fr) 19rem;
    }

    .columns > section dl {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
