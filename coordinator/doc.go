// Package coordinator is the coordinator's role: it keeps a network's book,
// answers its peers and admins, and tells every peer whose map changed.
//
// # State
//
// The book is durable and has one writer: a command is applied, written down
// in one transaction, and only then takes the old book's place, by one atomic
// pointer. Readers of the book never wait. Everything else is soft and lives
// in memory, behind one mutex that is never held during I/O: where peers are
// reached and when they were last seen ([Role.Seen], [Role.Report]), what was
// redeemed a moment ago, and who has yet to hear of what. Where the coordinator
// itself is found is in the book: peers need it when they cannot ask.
//
// # Who hears of what
//
// The hub answers "what changed for this peer since its position" from the
// tail of durable changes and the latest endpoint news of each peer. The nudger
// sends a peer whose map changed one small datagram, and again with growing
// pauses, until it asks from a position that has the news: an answer may be
// lost, or asked for by another program on that machine. Both find the peers
// concerned by ranges of addresses: news costs as much as there are peers who
// may see it.
//
// A peer that was not nudged for long polls: it asks with a datagram whether
// there is news, and is answered with one, from what the nudger knows. So an
// idle network costs a few bytes an hour, and a lost nudge minutes.
//
// No peer can set the pace. What it reports of itself is told at once a few
// times and then every 5 s at most, the latest always; nudges leave in batches,
// since those who are nudged come all at once, first to the peers that a change
// is about; the local daemon is woken at once for the book, and five times a
// second at most for endpoints.
//
// # Redeeming
//
// The answer to a redeem travels through the tunnel of the temporary key, so
// the coordinator's own tunnel must keep that key until the invitee has the
// answer. The book is right from the first moment; only the coordinator's own
// map is held back:
//
//	invitee                     role                           own daemon
//	POST /v1/redeem  ---------> Redeem is committed (durable)
//	                            hold: own map keeps showing    has the temporary
//	                            the temporary key              key, still
//	        <----------- 200    response written
//	closes its side ----------> Done: the hold is released --> Wake, Fetch:
//	                            everybody is nudged, the       swaps the keys
//	        <------ handshake   new peer as well, at the
//	                            endpoint it redeemed from
//
// A hold ends after 5 s in any case, which asking again does not prolong. While
// it lasts the invitee may ask again, with the temporary key's token, and is
// answered the same; and nobody else may redeem with that key, which the own
// map has still. While anything is held the position of the coordinator's own
// map stays before it: deltas are idempotent, so the first one after the
// release brings what was held back. Nothing is lost when the process dies in
// between: what counts is the book.
package coordinator
