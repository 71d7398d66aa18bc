package strong

import "encoding/binary"

// topic is the control topic of everything that registries say to each other.
const topic = "registry/strong"

// frameVersion is the first byte of every frame.
const frameVersion = 0xA1

// kind says what a frame is. The numbers are part of the protocol.
type kind uint8

const (
	kindAnswer   kind = iota + 1 // to the request with the same id
	kindRefusal                  // the same, and why not
	kindAppend                   // raft's requests
	kindVote                     //
	kindPreVote                  //
	kindSnapshot                 // the head of a snapshot
	kindTimeout                  //
	kindChunk                    // a part of the snapshot with the same id
	kindTaken                    // how much of the snapshot with the same id has been read
	kindCommand                  // a command for the leader
	kindRead                     // a read for the leader
	kindConfirm                  // asks a voter which term it is in
	kindForm                     // asks an initial voter whether it has data
	kindView                     // who leads
	kindReport                   // a replica tells the leader how far it is
	kindFreed                    // a lease is free that somebody waited for
	kinds                        // how many there are
)

// raftRequest reports whether frames of kind k are for raft.
func (k kind) raftRequest() bool { return kindAppend <= k && k <= kindTimeout }

// ofData reports whether frames of kind k are about the sender's data: they bear
// the epoch of these, and not the highest that the sender has heard of.
func (k kind) ofData() bool { return k.raftRequest() || k == kindConfirm || k == kindView }

// asks reports whether frames of kind k are to be answered.
func (k kind) asks() bool {
	return k.raftRequest() || k == kindCommand || k == kindRead || k == kindConfirm || k == kindForm
}

// frame is one payload of the topic.
type frame struct {
	kind  kind
	epoch uint64 // the sender's, or of its data; zero if there is none
	id    uint64 // what an answer refers to
	to    string // the ServerID meant; only with what is for a replica
	body  []byte
}

func (f *frame) encode() []byte {
	b := make([]byte, 0, 32+len(f.to)+len(f.body))
	b = append(b, frameVersion, byte(f.kind))
	b = binary.AppendUvarint(b, f.epoch)
	b = binary.AppendUvarint(b, f.id)
	b = appendBytes(b, f.to)
	return append(b, f.body...)
}

// decodeFrame returns a frame whose body is part of payload.
func decodeFrame(payload []byte) (frame, error) {
	r := reader{b: payload}
	if r.octet() != frameVersion {
		return frame{}, errMalformed
	}
	f := frame{kind: kind(r.octet()), epoch: r.uint(), id: r.uint(), to: r.text()}
	f.body = r.b
	if r.bad || f.kind == 0 || f.kind >= kinds {
		return frame{}, errMalformed
	}
	return f, nil
}
