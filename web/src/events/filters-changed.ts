import type { RequestFilters } from '../common/filters.ts';

/** The reader chose other filters. */
export class FiltersChanged extends Event {
  static readonly type = 'filters-changed';
  readonly filters: RequestFilters;

  constructor(filters: RequestFilters) {
    super(FiltersChanged.type, { bubbles: true, composed: true });
    this.filters = filters;
  }
}

declare global {
  interface GlobalEventHandlersEventMap {
    'filters-changed': FiltersChanged;
  }
}
