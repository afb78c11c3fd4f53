import { css } from 'lit';

export const requestTableStyles = css`
  :host {
    display: block;
    min-width: 0;
  }

  .scroll {
    overflow-x: auto;
    background: var(--surface-raised);
    border: 1px solid var(--border);
    border-radius: var(--radius);
  }

  table {
    width: 100%;
    border-collapse: collapse;
    white-space: nowrap;
    font-size: 0.88rem;
  }

  th,
  td {
    text-align: start;
    padding: 0.5rem 0.55rem;
    border-bottom: 1px solid var(--border);
    font-weight: 400;
    unicode-bidi: isolate;
  }

  th:first-child,
  td:first-child {
    padding-inline-start: 1rem;
  }

  tbody tr {
    position: relative;
  }

  tbody tr:last-child > * {
    border-bottom: 0;
  }

  tbody tr:hover {
    background: var(--surface-sunken);
  }

  thead th {
    color: var(--text-muted);
    font-size: 0.82rem;
    font-weight: 600;
  }

  /* The whole row leads to the request; the link of the session lies above. */
  .started a::after {
    content: '';
    position: absolute;
    inset: 0;
  }

  .started a {
    text-decoration: none;
    font-variant-numeric: tabular-nums;
  }

  tr:hover .started a {
    text-decoration: underline;
  }

  .session a {
    position: relative;
    color: inherit;
  }

  .model,
  .domain {
    max-width: 16rem;
    overflow: hidden;
    text-overflow: ellipsis;
  }

  .kind,
  .domain {
    color: var(--text-muted);
  }

  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }

  @media (max-width: 48rem) {
    table,
    tbody {
      display: block;
    }

    thead {
      display: block;
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }

    tbody tr {
      display: grid;
      grid-template-columns: repeat(3, minmax(0, 1fr));
      gap: 0.35rem 0.75rem;
      padding: 0.75rem 1rem;
      border-bottom: 1px solid var(--border);
    }

    tbody tr:last-child {
      border-bottom: 0;
    }

    tbody tr > :is(th, td) {
      padding: 0;
      border: 0;
      min-width: 0;
      max-width: none;
      overflow: hidden;
      text-overflow: ellipsis;
    }

    tbody .model {
      grid-area: 1 / 1 / 2 / 3;
      font-weight: 600;
    }

    tbody .started {
      grid-area: 1 / 3 / 2 / 4;
      justify-self: end;
      overflow: visible;
    }

    tbody .outcome {
      grid-area: 2 / 1 / 3 / 3;
    }

    tbody .kind {
      grid-area: 2 / 3 / 3 / 4;
      justify-self: end;
    }

    tbody .domain {
      grid-column: 2 / 4;
      justify-self: end;
      max-width: 100%;
    }

    .number {
      text-align: start;
    }

    .number::before {
      content: attr(data-label);
      display: block;
      font-size: 0.75rem;
      color: var(--text-muted);
    }
  }
`;
