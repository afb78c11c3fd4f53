import type { DatabaseLogin } from '../resources/render-context.ts';
import type { Random } from './generated-secrets.ts';
import { randomText } from './generated-secrets.ts';

export type Slot = 'a' | 'b';

export const LOGIN_SERVICES = ['proxy', 'dashboard'] as const;
export type LoginService = (typeof LOGIN_SERVICES)[number];

const GROUPS: Readonly<Record<LoginService, DatabaseLogin['group']>> = {
  proxy: 'nexus_writer',
  dashboard: 'nexus_reader',
};

/** Key of the Secret `NAME-logins` under which the state is. */
export const LOGIN_STATE_KEY = 'state.json';

/**
 * What NAME-logins holds under `state.json`: the only memory of a rotation. `preparing`: the idle login has a new
 * password, not used yet. `switching`: pods change over to it. `retiring`: nobody uses the old one, it is being disabled.
 */
export interface LoginState {
  readonly phase: 'steady' | 'preparing' | 'switching' | 'retiring';
  /** The login new pods use. */
  readonly active: Slot;
  /** Logins that may connect. */
  readonly enabled: readonly Slot[];
  readonly passwords: Readonly<Record<LoginService, Readonly<Record<Slot, string>>>>;
  /** Value of the annotation handled last or now. */
  readonly rotation?: string;
}

export interface RotationFacts {
  /** Value of the rotation annotation. */
  readonly wanted: string | undefined;
  /** The database Job for exactly this state, with the image it is to have, has succeeded. */
  readonly jobDone: boolean;
  /** Deployments are rolled out with the active login and no pod, not even an ending one, uses the other. */
  readonly switchedOver: boolean;
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a';
}

/** First passwords. A rotation asked for before there were any has nothing to rotate. */
export function newLogins(random: Random, rotation: string | undefined): LoginState {
  const pair = () => ({ a: randomText(random), b: randomText(random) });
  return {
    phase: 'steady',
    active: 'a',
    enabled: ['a'],
    passwords: { proxy: pair(), dashboard: pair() },
    ...(rotation === undefined ? {} : { rotation }),
  };
}

/** @returns undefined when the text is no state of ours */
export function parseLogins(text: string | undefined): LoginState | undefined {
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as LoginState;
    const complete = LOGIN_SERVICES.every((service) =>
      (['a', 'b'] as const).every((slot) => typeof state.passwords[service][slot] === 'string'),
    );
    const known = ['steady', 'preparing', 'switching', 'retiring'].includes(state.phase);
    return complete && known && (state.active === 'a' || state.active === 'b') ? state : undefined;
  } catch {
    return undefined;
  }
}

/** The next state of a rotation; the same object while the present step is not finished. */
export function nextLogins(state: LoginState, facts: RotationFacts, random: Random): LoginState {
  if (!facts.jobDone) return state;
  if (state.phase === 'steady') {
    const isNew = facts.wanted !== undefined && facts.wanted !== state.rotation;
    return isNew ? prepared(state, facts.wanted, random) : state;
  }
  if (state.phase === 'preparing') {
    return { ...state, phase: 'switching', active: otherSlot(state.active) };
  }
  if (state.phase === 'switching') {
    return facts.switchedOver ? { ...state, phase: 'retiring', enabled: [state.active] } : state;
  }
  return { ...state, phase: 'steady' };
}

function prepared(state: LoginState, rotation: string, random: Random): LoginState {
  const idle = otherSlot(state.active);
  const renewed = (service: LoginService) => ({
    ...state.passwords[service],
    [idle]: randomText(random),
  });
  return {
    ...state,
    phase: 'preparing',
    enabled: ['a', 'b'],
    passwords: { proxy: renewed('proxy'), dashboard: renewed('dashboard') },
    rotation,
  };
}

/** Name of a service's login. */
export function loginName(service: LoginService, slot: Slot): string {
  return `nexus_${service}_${slot}`;
}

/** logins.json for the database Job. */
export function loginsFile(state: LoginState): string {
  const logins: DatabaseLogin[] = LOGIN_SERVICES.flatMap((service) =>
    (['a', 'b'] as const).map((slot) => ({
      name: loginName(service, slot),
      group: GROUPS[service],
      password: state.passwords[service][slot],
      enabled: state.enabled.includes(slot),
    })),
  );
  return JSON.stringify(logins);
}
