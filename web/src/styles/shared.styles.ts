import { css } from 'lit';

/** What every element of the application shares: box model, focus ring, links, buttons, fields. */
export const sharedStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
    border-radius: 4px;
  }

  a {
    color: var(--accent);
  }

  h1,
  h2,
  h3 {
    line-height: 1.25;
    margin: 0;
  }

  button,
  input,
  select {
    font: inherit;
    color: inherit;
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: 8px;
    padding: 0.4rem 0.7rem;
    min-height: 2.25rem;
  }

  button {
    cursor: pointer;
  }

  button:hover {
    border-color: var(--accent);
  }

  button[disabled] {
    cursor: default;
    opacity: 0.6;
  }

  button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--accent-contrast);
    font-weight: 600;
  }

  .muted {
    color: var(--text-muted);
  }

  .mono {
    font-family: var(--mono);
    font-size: 0.87em;
  }

  .problem {
    color: var(--bad);
  }

  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
