import { css } from 'lit';

export const requestPageStyles = css`
  :host {
    display: grid;
    gap: 1.1rem;
  }

  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1rem;
  }

  p {
    margin: 0;
  }

  section {
    display: grid;
    gap: 0.75rem;
    min-width: 0;
  }

  article,
  details {
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    padding: 0.75rem 1rem;
    min-width: 0;
  }

  article[data-role='assistant'] {
    border-inline-start: 4px solid var(--accent);
  }

  article h3 {
    font-size: 0.85rem;
    color: var(--text-muted);
    margin-bottom: 0.35rem;
  }

  article nexus-content-block + nexus-content-block,
  details > :not(summary) {
    margin-top: 0.75rem;
  }

  summary {
    cursor: pointer;
    font-weight: 600;
  }

  dl {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr));
    gap: 0.6rem 1.25rem;
    margin: 0;
  }

  dt {
    color: var(--text-muted);
    font-size: 0.85rem;
  }

  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }

  table {
    border-collapse: collapse;
  }

  th,
  td {
    text-align: start;
    font-weight: 400;
    padding: 0.2rem 1rem 0.2rem 0;
    vertical-align: top;
    overflow-wrap: anywhere;
  }
`;
