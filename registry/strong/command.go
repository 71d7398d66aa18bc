package strong

import (
	"encoding/binary"
	"fmt"
	"time"
)

// op says what a command does. The numbers are in logs on disks.
type op uint8

const (
	opFound      op = iota + 1 // the first of an epoch: token.Epoch is its number
	opSettle                   // an epoch after the first grants leases again
	opOpen                     // a session for the node value
	opClose                    // ends the session token.Index
	opRegister                 // value gets name, if condition
	opUnregister               // nobody has name, if condition
	opAcquire                  // value gets the lease of name for ttl, if nobody has it
	opRenew                    // the lease of name with token begins anew
	opRelease                  // the lease of name with token ends
	opExpire                   // the same, if it has been renewed just so often
	ops
)

// Limits of names and values, in bytes. They bound the log and are checked where
// a command is made and where it is carried out.
const (
	maxName  = 512
	maxValue = 4096
)

// command is a change of the registry. Session and seq say whose it is, so that
// it is carried out once however often it is sent; those of the leader itself
// have no session, and conditions that make up for it.
type command struct {
	op      op
	session uint64
	seq     uint64
	settled uint64 // the session has all answers below this seq
	name    string
	value   string
	cond    condition
	token   Token
	ttl     time.Duration
	renewed uint64
}

// condKind says which condition a command has.
type condKind uint8

const (
	condFree  condKind = iota // nobody holds the name
	condValue                 // the condition's value does
	condToken                 // somebody does with the condition's token
	condKinds
)

// condition is what must be so for a command to be carried out.
type condition struct {
	kind  condKind
	value string
	token Token
}

func (c *command) encode() []byte {
	b := make([]byte, 0, 64+len(c.name)+len(c.value)+len(c.cond.value))
	b = append(b, byte(c.op))
	b = binary.AppendUvarint(b, c.session)
	b = binary.AppendUvarint(b, c.seq)
	b = binary.AppendUvarint(b, c.settled)
	b = appendBytes(b, c.name)
	b = appendBytes(b, c.value)
	b = append(b, byte(c.cond.kind))
	b = appendBytes(b, c.cond.value)
	b = appendToken(b, c.cond.token)
	b = appendToken(b, c.token)
	b = binary.AppendUvarint(b, uint64(c.ttl))
	return binary.AppendUvarint(b, c.renewed)
}

func decodeCommand(b []byte) (command, error) {
	r := reader{b: b}
	c := command{
		op: op(r.octet()), session: r.uint(), seq: r.uint(), settled: r.uint(), name: r.text(), value: r.text(),
		cond:  condition{kind: condKind(r.octet()), value: r.text(), token: r.token()},
		token: r.token(), ttl: time.Duration(r.uint()), renewed: r.uint(),
	}
	if err := r.end(); err != nil {
		return command{}, err
	}
	if c.op == 0 || c.op >= ops || c.cond.kind >= condKinds || c.ttl < 0 ||
		len(c.name) > maxName || len(c.value) > maxValue || len(c.cond.value) > maxValue {
		return command{}, errMalformed
	}
	return c, nil
}

// code says how a command or a read ended. The numbers are part of the protocol
// and in snapshots.
type code uint8

const (
	codeOK        code = iota
	codeConflict       // the condition was not met; the result has what is there
	codeHeld           // the lease is somebody's; the result has whose
	codeLost           // there is no such lease with that token
	codeAbsent         // nobody has the name
	codeSession        // there is no such session
	codeSettling       // nothing is granted yet in this epoch
	codeMalformed      // this is not a command
	codes
)

// result is how a command or a read ended, and what is there now.
type result struct {
	code  code
	value string
	token Token
}

func appendResult(b []byte, r result) []byte {
	b = append(b, byte(r.code))
	b = appendBytes(b, r.value)
	return appendToken(b, r.token)
}

func (r *reader) result() result {
	out := result{code: code(r.octet()), value: r.text(), token: r.token()}
	if out.code >= codes {
		r.fail()
	}
	return out
}

func decodeResult(b []byte) (result, error) {
	r := reader{b: b}
	out := r.result()
	return out, r.end()
}

// An entry of the log is a number of commands.

func encodeBatch(commands [][]byte) []byte {
	size := 8
	for _, c := range commands {
		size += len(c) + 4
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(commands)))
	for _, c := range commands {
		b = appendBytes(b, c)
	}
	return b
}

func decodeBatch(b []byte) ([][]byte, error) {
	r := reader{b: b}
	commands := make([][]byte, r.count(1))
	for i := range commands {
		commands[i] = r.bytes()
	}
	return commands, r.end()
}

// checkText returns ErrLimit unless text has 1 to limit bytes.
func checkText(what, text string, limit int) error {
	if text == "" || len(text) > limit {
		return fmt.Errorf("%w: a %s of %d bytes; it may have 1 to %d", ErrLimit, what, len(text), limit)
	}
	return nil
}
