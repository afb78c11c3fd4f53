import { css } from 'lit';

export const contentBlockStyles = css`
  :host {
    display: block;
    min-width: 0;
  }

  section.special {
    border-inline-start: 3px solid var(--border);
    padding-inline-start: 0.75rem;
  }

  section[data-error] {
    border-color: var(--bad);
  }

  nexus-content-block {
    margin-top: 0.4rem;
  }

  .label {
    margin: 0 0 0.15rem;
    font-size: 0.82rem;
    font-weight: 600;
    color: var(--text-muted);
    overflow-wrap: anywhere;
  }

  section[data-error] > .label {
    color: var(--bad);
  }

  pre {
    margin: 0;
    max-width: 90ch;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }

  pre.prose {
    font-family: inherit;
  }

  pre.mono {
    max-width: none;
    line-height: 1.45;
  }

  button.more {
    margin-top: 0.35rem;
    min-height: 1.75rem;
    padding: 0.1rem 0.6rem;
    font-size: 0.85rem;
    color: var(--accent);
  }

  p {
    margin: 0.25rem 0 0;
  }
`;
