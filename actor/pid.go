package actor

import (
	"fmt"
	"strconv"
	"strings"
	"unique"
)

// PID identifies one process, for ever: the node that runs it, which start of
// that node, and which process there. It is a 16-byte comparable value that can
// be copied, stored, used as a map key and sent to other nodes. A PID whose
// process has ended never comes to mean another process.
//
// The zero PID names no process.
type PID struct {
	node NodeHandle
	id   processID
}

// processID is a 28-bit slot in the node's table and a 36-bit generation of
// that slot. It is never zero.
type processID uint64

const (
	slotBits       = 28
	maxSlots       = 1 << slotBits
	slotMask       = maxSlots - 1
	lastGeneration = 1<<(64-slotBits) - 1
)

func makeProcessID(slot uint32, generation uint64) processID {
	return processID(generation<<slotBits | uint64(slot))
}

func (id processID) slot() uint32       { return uint32(id & slotMask) }
func (id processID) generation() uint64 { return uint64(id >> slotBits) }

// IsZero reports whether p names no process.
func (p PID) IsZero() bool { return p == PID{} }

// Node returns the node that runs the process, with its incarnation.
func (p PID) Node() NodeID {
	if p.IsZero() {
		return NodeID{}
	}
	return p.node.Value()
}

// NodeHandle returns [PID.Node] as a handle, which is cheaper to compare and
// to look up. The zero PID has the zero handle, whose Value must not be called.
func (p PID) NodeHandle() NodeHandle { return p.node }

// ID returns the process's number on its node: never zero for a process.
// Together with the node it is the whole PID; see [MakePID].
func (p PID) ID() uint64 { return uint64(p.id) }

// MakePID puts together what [PID.NodeHandle] and [PID.ID] took apart. It is
// meant for wire codecs. A zero id makes the zero PID.
func MakePID(node NodeHandle, id uint64) PID {
	if id == 0 || node == (NodeHandle{}) {
		return PID{}
	}
	return PID{node: node, id: processID(id)}
}

// String formats p as "<node/boot-unique/slot.generation>", the zero PID as "<>".
func (p PID) String() string {
	text, _ := p.AppendText(nil)
	return string(text)
}

// AppendText implements [encoding.TextAppender]; it cannot fail.
func (p PID) AppendText(b []byte) ([]byte, error) {
	b = append(b, '<')
	if !p.IsZero() {
		b = append(b, p.node.Value().String()...)
		b = append(b, '/')
		b = strconv.AppendUint(b, uint64(p.id.slot()), 10)
		b = append(b, '.')
		b = strconv.AppendUint(b, p.id.generation(), 10)
	}
	return append(b, '>'), nil
}

// MarshalText implements [encoding.TextMarshaler]; it cannot fail.
func (p PID) MarshalText() ([]byte, error) { return p.AppendText(nil) }

// UnmarshalText is the inverse of [PID.MarshalText].
func (p *PID) UnmarshalText(text []byte) error {
	q, err := ParsePID(string(text))
	if err == nil {
		*p = q
	}
	return err
}

// ParsePID is the inverse of [PID.String].
func ParsePID(s string) (PID, error) {
	inner, ok := strings.CutPrefix(s, "<")
	if ok {
		inner, ok = strings.CutSuffix(inner, ">")
	}
	if !ok {
		return PID{}, fmt.Errorf("actor: PID %q is not in angle brackets", s)
	}
	if inner == "" {
		return PID{}, nil
	}
	slash := strings.LastIndexByte(inner, '/')
	if slash < 0 {
		return PID{}, fmt.Errorf("actor: PID %q has no process number", s)
	}
	node, err := ParseNodeID(inner[:slash])
	if err == nil && node.IsZero() {
		err = fmt.Errorf("actor: PID %q has no node", s)
	}
	if err != nil {
		return PID{}, err
	}
	slotText, genText, _ := strings.Cut(inner[slash+1:], ".")
	slot, err1 := strconv.ParseUint(slotText, 10, slotBits)
	gen, err2 := strconv.ParseUint(genText, 10, 64-slotBits)
	if err1 != nil || err2 != nil || gen == 0 {
		return PID{}, fmt.Errorf("actor: PID %q has a malformed process number", s)
	}
	p := PID{node: unique.Make(node), id: makeProcessID(uint32(slot), gen)}
	if p.String() != s {
		return PID{}, fmt.Errorf("actor: PID %q is not in canonical form", s)
	}
	return p, nil
}
