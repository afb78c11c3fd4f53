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
    gap: 0.5rem 1.5rem;
    padding: 0.6rem clamp(1rem, 3vw, 2rem);
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
    display: flex;
    gap: 1.25rem;
  }

  nav a {
    color: var(--text-muted);
    text-decoration: none;
    padding: 0.3rem 0;
    border-bottom: 2px solid transparent;
  }

  nav a:hover,
  nav a[aria-current] {
    color: var(--text);
  }

  nav a[aria-current] {
    border-color: var(--accent);
  }

  .tools {
    display: flex;
    align-items: center;
    gap: 0.6rem;
    margin-inline-start: auto;
  }

  main {
    flex: 1;
    width: 100%;
    max-width: 96rem;
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
    z-index: 1;
    background: var(--surface-raised);
    padding: 0.25rem 0.5rem;
  }

  @media (max-width: 40rem) {
    nav {
      order: 1;
      width: 100%;
    }

    nav a {
      padding: 0;
    }

    .tools {
      font-size: 0.9rem;
    }
  }
`;
