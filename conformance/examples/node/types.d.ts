// What the files of this example tell each other. What goes over the wire, and every id, is in the types made of the tables.

import type {
  CauseId,
  Causes,
  Closings,
  Constants,
  Failures,
  FrameName,
  Machines,
  Message,
  Notices,
  ReadFrame,
  ReadGuestFrame,
  ReadHostFrame,
  Refusals,
} from "../../../spec/v1/export/tunnel.js";

/** The fields of a frame, without its name. */
export type Fields<F> = F extends ReadFrame ? Omit<F, "t"> : never;

/** What is given to write a frame: its fields, without what the table always writes. */
export type Values<N extends FrameName> = Fields<Extract<ReadFrame, { t: N }>>;

/** A frame that was read; its fields are null when it is malformed, or not one that the sender sends. */
export type Found<S extends Role> = Known<FramesOf[S]> | { name: string; fields: null };
type Known<F> = F extends ReadFrame ? { name: F["t"]; fields: Fields<F> | null } : never;
type FramesOf = { host: ReadHostFrame; guest: ReadGuestFrame };

export type Role = "host" | "guest";

/** A field of a table of frames. */
export interface Field {
  name: string;
  type: string;
  min?: number;
  max?: keyof Constants;
  value?: unknown;
  default?: unknown;
}

/** A frame, or a record in frames. */
export interface Shape {
  name: string;
  sender?: Role;
  fields: Field[];
}

export type MachineName = keyof Machines;
export type State<M extends MachineName> = Machines[M]["state"];
export type Event<M extends MachineName> = keyof Machines[M]["events"] & string;
export type Facts<M extends MachineName, E extends Event<M>> = Machines[M]["events"][E];

/** Who carries out the actions of a machine. The payload is between the one who tells an event and the one who acts on it. */
export type Actions<M extends MachineName> = {
  [A in keyof Machines[M]["actions"]]: (object: Machines[M]["actions"][A], payload: any) => void;
};

/** A machine, as it stands in its table. */
export interface Table<M extends MachineName> {
  machine: M;
  initial: State<M>;
  groups?: Record<string, State<M>[]>;
  states: { name: State<M>; final?: boolean }[];
  events: { name: Event<M> }[];
  actions: { name: keyof Machines[M]["actions"] & string }[];
  timers: {
    name: Machines[M]["timer"];
    duration: keyof Constants;
    runs_in: string[];
    passed_when: string;
    restarts_on?: string[];
    fires?: Event<M>;
  }[];
  transitions: { id: string; on: Event<M> | "*"; from: string[]; when?: string; to: State<M> | "="; do?: string[] }[];
  invariants: { id: string; holds: string }[];
}

/** The tables, as this example holds them. */
export interface Tables {
  constants: { [N in keyof Constants]: { name: N; value: Constants[N]; unit: string } }[keyof Constants][];
  frames: { tag_field: "t"; records: Shape[]; frames: (Shape & { name: FrameName })[] };
  refusals: {
    refusals: Refusals[keyof Refusals][];
    closings: Closings[keyof Closings][];
    causes: Causes[keyof Causes][];
    failures: Failures[keyof Failures][];
    notices: Notices[keyof Notices][];
  };
}

/** A message as an agent is shown it. */
export type Shown = Omit<Message, "body"> & { text: string };

/** Facts and numbers that a condition is about, and what it asks of timers and steps. */
export type Names = Record<string, any>;
export type Call = (name: string, words: string[]) => unknown;
export type Condition = (names: Names, call: Call) => any;

/** What a socket tells of its peer, who is a host or a guest. */
export interface SocketEvents<S extends Role> {
  heard(): void;
  frame(frame: Found<S> | null): void;
  control(): void;
  oversize(): void;
  not_text(): void;
  overflow(): void;
  lost(code: number, reason: string): void;
}

/** What an end is to the tools. */
export interface End {
  role: Role;
  tunnelId: string;
  goal: string | null;
  peer: string | null;
  state: string;
  live: boolean;
  lastSeq: number;
  openedAt: number;
  closedBecause: CauseId | "peer_left" | null;
  inbox: { listen(since: number, timeoutMs: number, live: () => boolean): Promise<{ messages: Shown[]; cursor: number; more: boolean }> };
  gone: Promise<unknown> | undefined;
  say(text: string): Promise<number>;
  close(summary: string): void;
  exit(): void;
}
