import { css } from 'lit';

export const requestTableStyles = css`
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
    font-size: 0.92rem;
  }

  th,
  td {
    text-align: start;
    padding: 0.5rem 0.75rem;
    border-bottom: 1px solid var(--border);
    font-weight: 400;
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

  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
`;
