import { css } from 'lit';

export const copyLineStyles = css`
  div {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    background: var(--surface-sunken);
    border: 1px solid var(--border);
    border-radius: 8px;
    padding: 0.35rem 0.35rem 0.35rem 0.8rem;
    text-align: start;
  }

  pre {
    flex: 1;
    min-width: 0;
    margin: 0;
    padding: 0.3rem 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  code {
    font-family: var(--mono);
    font-size: 0.9rem;
  }

  button {
    flex: none;
    min-width: 5.2rem;
  }
`;
