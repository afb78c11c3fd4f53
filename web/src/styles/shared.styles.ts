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

  h1 {
    font-size: clamp(1.35rem, 5vw, 1.8rem);
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

  button:is([disabled], [aria-disabled='true']) {
    cursor: default;
    color: var(--text-muted);
    border-color: var(--border);
  }

  ::placeholder {
    color: var(--text-muted);
    opacity: 0.75;
  }

  code {
    font-family: var(--mono);
    font-size: 0.92em;
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
    overflow-wrap: anywhere;
  }

  .warning {
    color: var(--warn);
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
