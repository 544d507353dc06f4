// The protocol `tunnel`, wire version 1, edition 1.0.0, as types: numbers, frames, answers of no, and machines.
//
// Generated from `spec/v1` by `python -m spec.compiler build`: edit the tables, not this file. Values are in `spec.json`.

/** Every number of the protocol. */
export type Constants = {
  /** Length of the key in the join link. It proves the guest to the host and seals the bodies. Unit: bytes. */
  readonly KEY_BYTES: 32;
  /** Length of the tunnel id, written as lower-case hexadecimal in the path. It is a name, not a secret. Unit: bytes. */
  readonly TUNNEL_ID_BYTES: 8;
  /** Length of the random nonce in a challenge. Unit: bytes. */
  readonly CHALLENGE_BYTES: 32;
  /** Length of the random nonce in front of every sealed body (XSalsa20). Unit: bytes. */
  readonly SEAL_NONCE_BYTES: 24;
  /** Length of the Poly1305 tag in a sealed body. Unit: bytes. */
  readonly SEAL_TAG_BYTES: 16;
  /** Length of the random id that a sender gives its message, written as lower-case hexadecimal. Unit: bytes. */
  readonly MESSAGE_ID_BYTES: 8;
  /** Longest join link that is looked at, in Unicode code points. Unit: characters. */
  readonly LINK_CHARS: 2048;
  /** How long a join link is good, from the moment it is handed out. At exactly this age it is still good. Unit: seconds. */
  readonly LINK_SECONDS: 600;
  /** A session in which nothing was numbered for this long ends. Unit: seconds. */
  readonly IDLE_SECONDS: 1800;
  /** Time from accepting a TCP connection until its `auth` must have been accepted. Unit: seconds. */
  readonly AUTH_SECONDS: 15;
  /** Time from dialling until `auth_ok` must have come. Unit: seconds. */
  readonly JOIN_SECONDS: 20;
  /** Time between two keepalive pings of one end. Well below the 100 s after which a common edge drops a silent WebSocket. Unit: seconds. */
  readonly PING_SECONDS: 15;
  /** A peer of which nothing has been heard for this long, not even a pong, is dead. Unit: seconds. */
  readonly SILENCE_SECONDS: 40;
  /** How long a peer that is hung up on has to read what is left and to close its side; then its socket is cut. Unit: seconds. */
  readonly CLOSE_SECONDS: 1;
  /** Largest frame that a host takes from the guest it has admitted. Unit: bytes. */
  readonly GUEST_FRAME_BYTES: 1048576;
  /** Largest frame that a host takes before it has admitted the sender. Unit: bytes. */
  readonly STRANGER_FRAME_BYTES: 16384;
  /** Largest frame that a guest takes from a host. Large, because released hosts put the whole backlog into one `auth_ok`. Unit: bytes. */
  readonly HOST_FRAME_BYTES: 16777216;
  /** Largest `auth_ok` that a host sends; what does not fit follows as `msg` frames. Unit: bytes. */
  readonly BACKLOG_FRAME_BYTES: 1048576;
  /** Deepest nesting of objects and arrays in a frame. Unit: levels. */
  readonly FRAME_DEPTH: 32;
  /** Longest text of one message, in UTF-8 before it is sealed. Unit: bytes. */
  readonly TEXT_BYTES: 262144;
  /** Longest goal, in UTF-8. Unit: bytes. */
  readonly GOAL_BYTES: 8192;
  /** Longest name, in UTF-8. Unit: bytes. */
  readonly NAME_BYTES: 256;
  /** Longest summary given at the close, in UTF-8. Unit: bytes. */
  readonly SUMMARY_BYTES: 8192;
  /** Longest message id that is taken from a peer, in Unicode code points. Unit: characters. */
  readonly MESSAGE_ID_CHARS: 64;
  /** Largest number that every JSON reader holds exactly (RFC 8259 section 6). */
  readonly SEQ_MAX: 9007199254740991;
  /** How many connections may wait for authentication; one more evicts the oldest. Unit: connections. */
  readonly STRANGER_CONNECTIONS: 32;
  /** Largest HTTP request head that the relay reads. Unit: bytes. */
  readonly HTTP_HEAD_BYTES: 16384;
  /** How many WebSocket control frames a peer may send within PING_SECONDS. Unit: frames. */
  readonly CONTROL_FRAMES: 1000;
  /** How much may wait for a peer that does not read. One byte more, and it is hung up on. Unit: bytes. */
  readonly OUTBOX_BYTES: 8388608;
  /** How many messages a session holds; then nothing more can be said. Unit: messages. */
  readonly TRANSCRIPT_MESSAGES: 100000;
  /** How many system messages a guest takes beyond a full transcript. Unit: messages. */
  readonly SYSTEM_MESSAGES: 16;
  /** How many bytes of bodies a session holds; then nothing more can be said. Unit: bytes. */
  readonly TRANSCRIPT_BYTES: 268435456;
};

/** One numbered message of the session, as the host hands it out. (SEQ-1, SEAL-1) */
export interface Message {
  /** Chosen by the sender, 16 hexadecimal digits from us; the sender knows its own message by it. At most MESSAGE_ID_CHARS (64). */
  id: string;
  /** Assigned by the host: 1, 2, 3 and so on, without gaps. At most SEQ_MAX (9007199254740991). */
  seq: number;
  /** Set by the host: which end it came from. System messages come from the host. */
  from: "host" | "guest";
  /** `chat` is said by an end, `system` is told by the host. */
  kind: "chat" | "system";
  /** chat: the sealed text. system: the text in clear. Visible to chat: both ends, and the operator sees its length; system: both ends and the operator. */
  body: string;
  /** The host's clock when the message was numbered, in milliseconds since the Unix epoch. A number that no double holds is none. */
  ts: number;
}

/** A message that the guest wants numbered. Only `id`, `kind` and `body` are read; the host sets the rest (SEQ-2). (SEQ-2) */
export interface Draft {
  /** Chosen by the guest; it comes back with the echo. At most MESSAGE_ID_CHARS (64). */
  id: string;
  /** Not read. */
  seq: -1;
  /** Not read. */
  from: "guest";
  /** A guest can only chat. */
  kind: "chat";
  /** The sealed text. (base64url of nonce, tag and ciphertext) Visible to both ends; the operator sees its length. */
  body: string;
  /** Not read. */
  ts: 0;
}

/** The first frame on every connection. Sent by the host. (AUTH-1) */
export interface Challenge {
  t: "challenge";
  /** Fresh for every connection. The answer is computed over this text, not over the decoded bytes. (base64url, CHALLENGE_BYTES random bytes) */
  nonce: string;
}

/** The answer to the challenge: proves that the guest holds the join link. Sent by the guest. (AUTH-2, AUTH-3) */
export interface Auth {
  t: "auth";
  /** HMAC-SHA256 with the link's key over the UTF-8 bytes of the challenge's text. (base64url, 32 bytes) */
  response: string;
  /** What the guest wants to be called. Not authenticated. At most NAME_BYTES (256). */
  name: string;
  /** The last `seq` that the guest holds: the backlog begins behind it. Anything but a number of at least 0 counts as 0; a number that no double holds is beyond every `seq`. */
  sinceSeq?: number;
}

/** The guest is admitted. Sent by the host. (LOCK-1, SIZE-11) */
export interface AuthOk {
  t: "auth_ok";
  /** What the host opened the tunnel for. Not authenticated. */
  goal: string;
  /** What the host wants to be called. Not authenticated. */
  peerName: string;
  /** The messages numbered so far, oldest first, as many as fit into the frame. */
  backlog: readonly Message[];
}

/** The guest is refused; a close follows. Sent by the host. (LINK-3, LINK-4) */
export interface AuthFail {
  t: "auth_fail";
  /** One of the texts in refusals.toml. */
  reason: string;
}

/** The guest says something. Sent by the guest. (LOCK-2, SEQ-2) */
export interface Send {
  t: "send";
  /** What it says. */
  msg: Draft;
}

/** A message was numbered. The echo of the guest's own message is its acknowledgement. Sent by the host. (SEQ-1, SEQ-3) */
export interface Msg {
  t: "msg";
  /** The message. */
  msg: Message;
}

/** What a host writes. */
export type HostFrame = Challenge | AuthOk | AuthFail | Msg;

/** What a guest writes. */
export type GuestFrame = Auth | Send;

/** Any frame. */
export type Frame = HostFrame | GuestFrame;

/** The names of frames. */
export type FrameName = Frame["t"];

/** What is read of `Draft`: whatever else stands in it, by whomever, means nothing. */
export interface ReadDraft {
  /** Chosen by the guest; it comes back with the echo. At most MESSAGE_ID_CHARS (64). */
  id: string;
  /** A guest can only chat. */
  kind: "chat";
  /** The sealed text. (base64url of nonce, tag and ciphertext) Visible to both ends; the operator sees its length. */
  body: string;
}

/** What is read of `Auth`: whatever else stands in it, by whomever, means nothing. */
export interface ReadAuth {
  t: "auth";
  /** HMAC-SHA256 with the link's key over the UTF-8 bytes of the challenge's text. (base64url, 32 bytes) */
  response: string;
  /** What the guest wants to be called. Not authenticated. At most NAME_BYTES (256). */
  name: string;
  /** The last `seq` that the guest holds: the backlog begins behind it. Anything but a number of at least 0 counts as 0; a number that no double holds is beyond every `seq`. */
  sinceSeq?: unknown;
}

/** What is read of `Send`: whatever else stands in it, by whomever, means nothing. */
export interface ReadSend {
  t: "send";
  /** What it says. */
  msg: ReadDraft;
}

/** What is read of what a host sends. */
export type ReadHostFrame = Challenge | AuthOk | AuthFail | Msg;

/** What is read of what a guest sends. */
export type ReadGuestFrame = ReadAuth | ReadSend;

/** Any frame, as it is read. */
export type ReadFrame = ReadHostFrame | ReadGuestFrame;

/** Why a join is refused, by id: `text` is the reason in `auth_fail`. */
export type Refusals = {
  /** The `auth` frame lacks a field, or a field has the wrong type or size. Join with an implementation of wire version 1. */
  readonly malformed_auth: { readonly id: "malformed_auth"; readonly text: "malformed auth"; readonly doc: string; readonly next: string };
  /** The response does not prove the key of this tunnel's join link. Copy the whole join link once more, to its last character. */
  readonly bad_key: { readonly id: "bad_key"; readonly text: "bad key"; readonly doc: string; readonly next: string };
  /** The join link is older than its lifetime. Ask the host to open a new tunnel and to send you its link. */
  readonly join_link_expired: { readonly id: "join_link_expired"; readonly text: "join link expired"; readonly doc: string; readonly next: string };
  /** Another guest is in the tunnel. Ask the host whom it let in; a join link is for one guest. */
  readonly tunnel_full: { readonly id: "tunnel_full"; readonly text: "tunnel full"; readonly doc: string; readonly next: string };
  /** A guest joined with this link and has left. It cannot be used again. Ask the host to open a new tunnel and to send you its link. */
  readonly join_link_already_used: { readonly id: "join_link_already_used"; readonly text: "join link already used"; readonly doc: string; readonly next: string };
};
export type RefusalId = keyof Refusals;

/** Why an end closes the WebSocket, by id: code and reason of the close frame. */
export type Closings = {
  /** The join was refused; `auth_fail` said why. */
  readonly refused: { readonly id: "refused"; readonly code: 1008; readonly reason: "refused"; readonly doc: string };
  /** The host closed the tunnel. */
  readonly closed_by_host: { readonly id: "closed_by_host"; readonly code: 1000; readonly reason: "closed by host"; readonly doc: string };
  /** Nothing was said for too long. */
  readonly idle: { readonly id: "idle"; readonly code: 1000; readonly reason: "idle timeout"; readonly doc: string };
  /** The host's process ends. */
  readonly process_exit: { readonly id: "process_exit"; readonly code: 1001; readonly reason: "process exit"; readonly doc: string };
  /** The host's transport is lost for good. */
  readonly transport_lost: { readonly id: "transport_lost"; readonly code: 1001; readonly reason: "transport lost"; readonly doc: string };
  /** The guest closed the tunnel. */
  readonly left: { readonly id: "left"; readonly code: 1000; readonly reason: "guest left"; readonly doc: string };
  /** The connection did not authenticate within 15 seconds. */
  readonly auth_timeout: { readonly id: "auth_timeout"; readonly code: 1008; readonly reason: "not authenticated in time"; readonly doc: string };
  /** A newer connection took the place of this one, which had not authenticated. */
  readonly evicted: { readonly id: "evicted"; readonly code: 1013; readonly reason: "too many waiting connections"; readonly doc: string };
  /** A frame was larger than the receiver takes. */
  readonly too_big: { readonly id: "too_big"; readonly code: 1009; readonly reason: "frame too big"; readonly doc: string };
  /** A text message was not UTF-8. */
  readonly not_text: { readonly id: "not_text"; readonly code: 1007; readonly reason: "invalid UTF-8"; readonly doc: string };
  /** More WebSocket control frames than 1000 within 15 seconds. */
  readonly flood: { readonly id: "flood"; readonly code: 1008; readonly reason: "too many control frames"; readonly doc: string };
  /** More than 8388608 bytes wait for the peer. */
  readonly slow: { readonly id: "slow"; readonly code: 1008; readonly reason: "peer does not read"; readonly doc: string };
  /** Nothing was heard of the peer for 40 seconds. */
  readonly silent: { readonly id: "silent"; readonly code: 1001; readonly reason: "no sign of life"; readonly doc: string };
  /** The session holds as many messages as it may, and the guest sent one more. */
  readonly transcript_full: { readonly id: "transcript_full"; readonly code: 1008; readonly reason: "transcript full"; readonly doc: string };
  /** The host broke the protocol in a way that the guest cannot pass over. */
  readonly protocol_error: { readonly id: "protocol_error"; readonly code: 1002; readonly reason: "protocol error"; readonly doc: string };
  /** The host did not admit the guest within 20 seconds. */
  readonly join_timeout: { readonly id: "join_timeout"; readonly code: 1001; readonly reason: "join took too long"; readonly doc: string };
};
export type ClosingId = keyof Closings;

/** Why a tunnel has ended, by id: `closings` are the close frames from which a guest learns it. */
export type Causes = {
  /** The host closed the tunnel. Open or join a new tunnel if there is more to say. */
  readonly closed_by_host: { readonly id: "closed_by_host"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** This side closed the tunnel it had joined. Ask for a new link if there is more to say; this one is used. */
  readonly closed_by_guest: { readonly id: "closed_by_guest"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** Nothing was said for 1800 seconds, so the session ended. Open a new tunnel. */
  readonly idle: { readonly id: "idle"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host's process ended. Ask the host to open a new tunnel. */
  readonly process_exit: { readonly id: "process_exit"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host's transport is lost for good, so nobody can reach the tunnel. Open a new tunnel and send its link. */
  readonly transport_lost: { readonly id: "transport_lost"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The connection to the host broke without a word. Ask the host whether it still runs; it must open a new tunnel. */
  readonly host_gone: { readonly id: "host_gone"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** Nothing was heard of the host for 40 seconds, not even an answer to pings. Ask the host whether it still runs; it must open a new tunnel. */
  readonly host_silent: { readonly id: "host_silent"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host hung up on this side. Ask the host to open a new tunnel. */
  readonly dropped: { readonly id: "dropped"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host refused the join. See the reason. */
  readonly refused: { readonly id: "refused"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** No connection to the host came about. Check that the link is complete and that the host still runs. */
  readonly not_connected: { readonly id: "not_connected"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host hung up before it let this side in. Ask the host whether the tunnel is still open. */
  readonly host_hung_up: { readonly id: "host_hung_up"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host did not let this side in within 20 seconds. Ask the host whether it still runs, then try again. */
  readonly join_timeout: { readonly id: "join_timeout"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** What answered does not speak wire version 1 as a host does. Check the link; ask the host which program it runs. */
  readonly bad_host: { readonly id: "bad_host"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host's numbering jumped: messages are missing, so nothing that follows can be trusted. Ask the host to open a new tunnel. */
  readonly missing_messages: { readonly id: "missing_messages"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host sent a frame that is larger than this side takes. Ask the host which program it runs. */
  readonly host_too_big: { readonly id: "host_too_big"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host sent more messages than a session holds. Ask the host which program it runs. */
  readonly host_flood: { readonly id: "host_flood"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
  /** The host does not read what this side says. Ask the host whether it still runs. */
  readonly host_slow: { readonly id: "host_slow"; readonly doc: string; readonly next: string; readonly closings?: readonly ClosingId[] };
};
export type CauseId = keyof Causes;

/** Why a message cannot be said, by id. */
export type Failures = {
  /** The tunnel is still being opened. Wait until tunnel_open has answered. */
  readonly not_open_yet: { readonly id: "not_open_yet"; readonly doc: string; readonly next: string };
  /** The host has not let this side in yet. Wait until tunnel_join has answered. */
  readonly not_joined_yet: { readonly id: "not_joined_yet"; readonly doc: string; readonly next: string };
  /** The guest has left, and a join link admits only one. Close this tunnel, open a new one and send its link. */
  readonly peer_left: { readonly id: "peer_left"; readonly doc: string; readonly next: string };
  /** The text is longer than 262144 bytes of UTF-8. Say it in several messages. */
  readonly text_too_long: { readonly id: "text_too_long"; readonly doc: string; readonly next: string };
  /** The session holds as many messages as it may. Close this tunnel and open a new one. */
  readonly transcript_full: { readonly id: "transcript_full"; readonly doc: string; readonly next: string };
  /** The tunnel ended before the host confirmed the message; whether the peer has it is not known. Say it again in a new tunnel. */
  readonly unconfirmed: { readonly id: "unconfirmed"; readonly doc: string; readonly next: string };
  /** The tunnel has ended. See why it ended; open or join a new one. */
  readonly ended: { readonly id: "ended"; readonly doc: string; readonly next: string };
};
export type FailureId = keyof Failures;

/** The texts of system messages, by id. */
export type Notices = {
  /** The first message of every session. */
  readonly opened: { readonly id: "opened"; readonly text: "tunnel opened \u2014 goal: {goal}"; readonly doc: string };
  /** The guest was admitted. */
  readonly joined: { readonly id: "joined"; readonly text: "{name} joined"; readonly doc: string };
  /** The guest's connection ended. */
  readonly left: { readonly id: "left"; readonly text: "{name} left"; readonly doc: string };
  /** The host closes and leaves a summary. */
  readonly summary: { readonly id: "summary"; readonly text: "closed \u2014 {summary}"; readonly doc: string };
  /** The session ends because nothing was said. */
  readonly idle: { readonly id: "idle"; readonly text: "idle timeout \u2014 closing tunnel"; readonly doc: string };
};
export type NoticeId = keyof Notices;

/** An event that comes without facts. */
export type NoFacts = Record<string, never>;

/** The states of: The host's session. Admits one guest, numbers messages, and ends. It hears of connections only what `connection.toml` passes on. */
export type SessionState =
  /** The relay listens; the transport is not reachable yet, and nobody has the link. */
  | "opening"
  /** The link is handed out, and nobody was admitted. */
  | "waiting"
  /** The one guest is connected. */
  | "locked"
  /** The guest has left. The link stays used; nobody else gets in. */
  | "vacated"
  /** Torn down: relay, port, child processes and files are gone. Final. */
  | "closed";

/** What can happen to it, with the facts that its conditions ask for. */
export interface SessionEvents {
  /** A guest can reach the relay from outside. From: transport. */
  reachable: NoFacts;
  /** The transport is lost for good. From: transport. */
  unreachable: NoFacts;
  /** A connection answers its challenge. `well_formed`: the frame `auth` has its fields, as AUTH-3 asks for; `proof_ok`: its response is the one that the link's key and the challenge of that very connection give (AUTH-2, AUTH-4). From: connection. */
  auth: { well_formed: boolean; proof_ok: boolean };
  /** The admitted guest says something. `has_room`: with it, the session holds no more messages and bytes of bodies than it may (SIZE-10). From: connection. */
  send: { has_room: boolean };
  /** The admitted guest's connection has ended. From: connection. */
  left: NoFacts;
  /** The host's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, the session holds no more than it may (SIZE-10). From: host. */
  say: { fits: boolean; has_room: boolean };
  /** The host closes the tunnel. `has_summary`: its agent gave a summary, and not an empty one. From: host. */
  close: { has_summary: boolean };
  /** The host's process ends. From: host. */
  exit: NoFacts;
  /** Nothing was numbered for too long. From: timer. */
  idle: NoFacts;
}
export type SessionEvent = keyof SessionEvents;

/** What its rows do, each with what it takes. */
export interface SessionActions {
  /** The join link goes to the host's agent. */
  hand_out_link: undefined;
  /** The connection that asked is refused. */
  refuse: RefusalId;
  /** The connection that asked becomes the guest's. */
  admit: undefined;
  /** A system message gets the next number and goes to the guest. */
  number: NoticeId;
  /** What an end said gets the next number and goes to the guest. */
  number_chat: undefined;
  /** The guest's connection is hung up on. */
  drop: ClosingId;
  /** The host's agent is told why it cannot say this. */
  fail: FailureId;
  /** Every connection is told and closed, the relay is gone, every waiting listen is answered. */
  end: CauseId;
}
export type SessionAction = keyof SessionActions;

/** Its timers. */
export type SessionTimer =
  /** The lifetime of the join link. LINK_SECONDS. */
  | "link"
  /** Only a numbered message is activity. IDLE_SECONDS. */
  | "idle";

/** Names for several of its states. */
export type SessionGroup = "open" | "live";

/** The states of: One connection, as the host sees it. A stranger until the session admits it, and finished as soon as it is told to go: what follows on it is ignored. */
export type ConnectionState =
  /** TCP is accepted; the HTTP request is not complete. */
  | "opening"
  /** The WebSocket is open and the challenge is sent. */
  | "challenged"
  /** It is the guest's. */
  | "admitted"
  /** It was told to go; what follows on it is ignored. */
  | "finished"
  /** The socket is closed. Final. */
  | "gone";

/** What can happen to it, with the facts that its conditions ask for. */
export interface ConnectionEvents {
  /** The HTTP request was accepted: a WebSocket is open. From: listener. */
  upgraded: NoFacts;
  /** The frame `auth`, well-formed or not. From: peer. */
  auth: NoFacts;
  /** The frame `send`, well-formed. From: peer. */
  send: NoFacts;
  /** Anything else: no JSON, no object, an unknown or a wrong frame. From: peer. */
  other: NoFacts;
  /** Bytes came in, whatever they hold. From: peer. */
  heard: NoFacts;
  /** A WebSocket ping or pong. `flooding`: with it, the peer has sent more than CONTROL_FRAMES of them within PING_SECONDS (SIZE-8). From: peer. */
  control: { flooding: boolean };
  /** A frame is larger than is taken from this peer. From: peer. */
  oversize: NoFacts;
  /** A text message is not UTF-8. From: peer. */
  not_text: NoFacts;
  /** Too much waits for a peer that does not read. From: listener. */
  overflow: NoFacts;
  /** A newer connection needs the place. From: listener. */
  evict: NoFacts;
  /** The session admits it. From: session. */
  admit: NoFacts;
  /** The session refuses it. From: session. */
  refuse: NoFacts;
  /** The session hangs up on its guest. From: session. */
  drop: NoFacts;
  /** The session ends. From: session. */
  end: NoFacts;
  /** The socket is closed, by whom and however. From: listener. */
  lost: NoFacts;
  /** It did not authenticate in time. From: timer. */
  authenticate: NoFacts;
  /** It is time for a ping. From: timer. */
  ping: NoFacts;
  /** Nothing was heard for too long. From: timer. */
  silence: NoFacts;
}
export type ConnectionEvent = keyof ConnectionEvents;

/** What its rows do, each with what it takes. */
export interface ConnectionActions {
  /** A fresh challenge is sent. */
  challenge: undefined;
  /** The session decides about the `auth`. */
  judge: undefined;
  /** The session numbers what was sent. */
  relay: undefined;
  /** `auth_ok` is sent, with the backlog. */
  welcome: undefined;
  /** `auth_fail` is sent, with the session's reason. */
  deny: undefined;
  /** A close frame is sent; the socket is closed soon, whatever the peer does. */
  hang_up: ClosingId;
  /** As `hang_up`, with the closing that the session gave. */
  hang_up_told: undefined;
  /** The session is told that its guest has left. */
  leave: undefined;
  /** A WebSocket ping is sent. */
  ping: undefined;
}
export type ConnectionAction = keyof ConnectionActions;

/** Its timers. */
export type ConnectionTimer =
  /** From accepting the socket until it is admitted. AUTH_SECONDS. */
  | "authenticate"
  /** Between two pings. PING_SECONDS. */
  | "ping"
  /** Since anything was heard. SILENCE_SECONDS. */
  | "silence";

/** Names for several of its states. */
export type ConnectionGroup = "stranger" | "talking" | "live";

/** The states of: The tunnel, as the guest sees it. Proves that it holds the link, once; then takes the host's messages in their order, and nothing else. */
export type GuestState =
  /** The WebSocket is not open yet. */
  | "dialing"
  /** The WebSocket is open; the challenge has not come. */
  | "greeting"
  /** The challenge is answered; the host has not decided. */
  | "proving"
  /** The host has let this side in. */
  | "joined"
  /** The tunnel is over. What was not read stays readable. Final. */
  | "ended";

/** What can happen to it, with the facts that its conditions ask for. */
export interface GuestEvents {
  /** The WebSocket is open. From: dialer. */
  connected: NoFacts;
  /** No WebSocket came about. From: dialer. */
  unreachable: NoFacts;
  /** The frame `challenge`. From: host. */
  challenge: NoFacts;
  /** The frame `auth_ok`. `in_order`: its backlog has the numbers 1, 2, 3 and so on; `overfull`: it holds more than a session may. From: host. */
  auth_ok: { in_order: boolean; overfull: boolean };
  /** The frame `auth_fail`. From: host. */
  auth_fail: NoFacts;
  /** The frame `msg`. `stale`: its number was taken before; `in_order`: it is the next number; `echo`: it is the guest's own message, unchanged; `claims_ours`: it says that the guest said it; `overfull`: the session holds more than it may. From: host. */
  msg: { stale: boolean; in_order: boolean; overfull: boolean; claims_ours: boolean; echo: boolean };
  /** `challenge`, `auth_ok` or `auth_fail` with a missing or wrong field. From: host. */
  malformed: NoFacts;
  /** Anything else: no JSON, no object, an unknown or a wrong frame. From: host. */
  other: NoFacts;
  /** Bytes came in, whatever they hold. From: host. */
  heard: NoFacts;
  /** A frame is larger than is taken from a host. From: host. */
  oversize: NoFacts;
  /** A text message is not UTF-8. From: host. */
  not_text: NoFacts;
  /** Too much waits for a host that does not read. From: dialer. */
  overflow: NoFacts;
  /** The socket is closed. What the host told in its close frame, or else in a system message that is its last (CLOSE-5), is a fact: `told_closed`, `told_idle`, `told_exit` or `told_transport` for the causes `closed_by_host`, `idle`, `process_exit` and `transport_lost`, and `told_dropped` for the cause `dropped`, which only a close frame tells. From: dialer. */
  lost: { told_closed: boolean; told_idle: boolean; told_exit: boolean; told_transport: boolean; told_dropped: boolean };
  /** The guest's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, and with what waits for its echo, the session holds no more than it may (SIZE-10). From: guest. */
  say: { fits: boolean; has_room: boolean };
  /** The guest leaves. `has_summary`: its agent gave a summary, and not an empty one. From: guest. */
  close: { has_summary: boolean };
  /** The guest's process ends. From: guest. */
  exit: NoFacts;
  /** The join took too long. From: timer. */
  join: NoFacts;
  /** It is time for a ping. From: timer. */
  ping: NoFacts;
  /** Nothing was heard for too long. From: timer. */
  silence: NoFacts;
}
export type GuestEvent = keyof GuestEvents;

/** What its rows do, each with what it takes. */
export interface GuestActions {
  /** `auth` is sent, with the proof for this challenge. */
  answer: undefined;
  /** Goal, the host's name and the backlog are taken. */
  enter: undefined;
  /** The message is taken; who listens is answered. */
  take: undefined;
  /** The guest's own message has its number; who said it is told. */
  confirm: undefined;
  /** The number is taken, the message is not shown as the guest's: the guest did not say it. */
  conceal: undefined;
  /** The frame `send` goes out. */
  send: undefined;
  /** The summary goes out as the last chat. */
  send_summary: undefined;
  /** The guest's agent is told why it cannot say this. */
  fail: FailureId;
  /** A close frame is sent; the socket is closed soon, whatever the host does. */
  hang_up: ClosingId;
  /** A WebSocket ping is sent. */
  ping: undefined;
  /** Every waiting listen is answered, every unconfirmed say fails, the socket is gone. */
  end: CauseId;
}
export type GuestAction = keyof GuestActions;

/** Its timers. */
export type GuestTimer =
  /** From dialling until the host has let this side in. JOIN_SECONDS. */
  | "join"
  /** Between two pings. PING_SECONDS. */
  | "ping"
  /** Since anything was heard. SILENCE_SECONDS. */
  | "silence";

/** Names for several of its states. */
export type GuestGroup = "joining" | "connected" | "live";

/** The machines, by name. */
export interface Machines {
  session: { state: SessionState; events: SessionEvents; actions: SessionActions; timer: SessionTimer; group: SessionGroup };
  connection: { state: ConnectionState; events: ConnectionEvents; actions: ConnectionActions; timer: ConnectionTimer; group: ConnectionGroup };
  guest: { state: GuestState; events: GuestEvents; actions: GuestActions; timer: GuestTimer; group: GuestGroup };
}
