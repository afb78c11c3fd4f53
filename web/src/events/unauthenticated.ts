/** The server refused for want of a session: the session is to be checked. */
export class Unauthenticated extends Event {
  static readonly type = 'unauthenticated';

  constructor() {
    super(Unauthenticated.type, { bubbles: true, composed: true });
  }
}

declare global {
  interface GlobalEventHandlersEventMap {
    unauthenticated: Unauthenticated;
  }
}
