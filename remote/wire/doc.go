// Package wire is what nodes say to each other, byte for byte.
//
// A connection carries frames, one after the other:
//
//	 0      1             4                 8
//	+------+-------------+-----------------+------------------+---------+
//	| kind | head length | payload length  | protobuf message | payload |
//	+------+-------------+-----------------+------------------+---------+
//
// The message's type follows from the kind; wire.proto has them all. The
// payload stays outside of it so that a large one can be read into memory of
// its own and written from where it lies.
//
// [Append] makes frames and a [Decoder] cuts a stream into them. Both are pure:
// no connection, no clock, no goroutine. Every length is checked against
// [Limits] before memory is taken for it.
package wire
