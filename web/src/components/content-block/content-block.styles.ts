import { css } from 'lit';

export const contentBlockStyles = css`
  :host {
    display: grid;
    gap: 0.5rem;
  }

  section.special {
    border-inline-start: 3px solid var(--border);
    padding-inline-start: 0.75rem;
  }

  section[data-error] {
    border-color: var(--bad);
  }

  .label {
    margin: 0 0 0.15rem;
    font-size: 0.82rem;
    font-weight: 600;
    color: var(--text-muted);
  }

  pre {
    margin: 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  pre.prose {
    font-family: inherit;
  }

  summary {
    cursor: pointer;
    color: var(--accent);
  }

  p {
    margin: 0.25rem 0 0;
  }
`;
