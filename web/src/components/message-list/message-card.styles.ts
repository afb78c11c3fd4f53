import { css } from 'lit';

/** Styles of messageCard. */
export const messageCardStyles = css`
  article {
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    padding: 0.7rem 1rem 0.8rem;
    min-width: 0;
  }

  article[data-role='assistant'] {
    border-inline-start: 4px solid var(--accent);
  }

  article h3 {
    display: flex;
    justify-content: space-between;
    gap: 1rem;
    font-size: 0.85rem;
    margin-bottom: 0.4rem;
    overflow-wrap: anywhere;
  }

  article h3 .muted {
    flex: none;
    max-width: 50%;
    font-weight: 400;
  }

  article > nexus-content-block + nexus-content-block {
    margin-top: 0.8rem;
  }
`;
