import { css } from 'lit';

export const appStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 100vh;
  }

  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.75rem 1.25rem;
    padding: 0.75rem clamp(1rem, 3vw, 2rem);
    border-bottom: 1px solid var(--border);
    background: var(--surface-raised);
  }

  .brand {
    font-weight: 700;
    font-size: 1.1rem;
    letter-spacing: -0.01em;
    color: var(--text);
    text-decoration: none;
  }

  nav {
    flex: 1;
  }

  nav a {
    color: var(--text);
    text-decoration: none;
    padding: 0.25rem 0;
    border-bottom: 2px solid var(--accent);
  }

  main {
    flex: 1;
    width: 100%;
    max-width: 90rem;
    margin: 0 auto;
    padding: 1.25rem clamp(1rem, 3vw, 2rem) 3rem;
  }

  main:focus {
    outline: none;
  }

  .skip {
    position: absolute;
    left: -100vw;
  }

  .skip:focus {
    left: 1rem;
    top: 0.75rem;
    background: var(--surface-raised);
    padding: 0.25rem 0.5rem;
  }
`;
