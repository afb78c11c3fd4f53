import { css } from 'lit';

export const filterBarStyles = css`
  :host {
    display: block;
    min-width: 0;
  }

  form {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
    gap: 0.6rem;
    align-items: end;
  }

  label {
    display: grid;
    gap: 0.2rem;
    font-size: 0.85rem;
    color: var(--text-muted);
    min-width: 0;
  }

  input,
  select {
    width: 100%;
    min-width: 0;
    color: var(--text);
  }

  label.active > :is(input, select) {
    border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent);
  }

  .toggle {
    display: none;
  }

  @media (max-width: 48rem) {
    .toggle {
      display: inline-block;
    }

    .toggle[aria-expanded='false'] + form {
      display: none;
    }

    .toggle[aria-expanded='true'] + form {
      margin-top: 0.75rem;
    }
  }
`;
